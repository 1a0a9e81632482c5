// Tags and regions that there are already: a misspelt region is checked by nobody.

import { get } from "../api/client";
import type { Overview } from "../api/schema";
import { session } from "../shell/session.svelte";

class Offers {
  tags = $state.raw<string[]>([]);
  regions = $state.raw<string[]>([]);
  #asked = false;

  /** Asks once, when somebody needs them. Without them everything can be written all the same. */
  need(): void {
    if (this.#asked) return;
    this.#asked = true;
    void this.#ask().catch(() => (this.#asked = false));
  }

  async #ask(): Promise<void> {
    const { body } = await get<Overview>("/api/v1/overview", session.token, null, AbortSignal.timeout(30_000));
    this.tags = [...new Set(body.sites.flatMap((site) => site.tags))].toSorted();
    this.regions = body.fleet.regions.map((one) => one.region).toSorted();
  }
}

export const offers = new Offers();
