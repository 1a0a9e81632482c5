// The timelines of the sites in sight: asked for when scrolling rests, kept, and renewed.

import { SvelteMap } from "svelte/reactivity";

import { ApiError, get } from "../api/client";
import type { Timelines as Answer } from "../api/schema";
import { session } from "../shell/session.svelte";
import type { Window } from "../words/windows";
import { wanted } from "./sight";
import { timelinesOf, type Timeline } from "./timeline";

/** Rows that stay this long in sight are worth asking for. */
const REST_MS = 120;
/** How often it is looked whether something in sight has become old. */
const LOOK_MS = 5000;
const PATIENCE_MS = 30_000;
/** More than these are forgotten, the oldest first. */
const KEPT = 3000;

export class Timelines {
  #known = new SvelteMap<number, Timeline>();
  #asked = new Map<number, number>();
  #inSight: readonly number[] = [];
  #window: Window;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #asking: { sites: readonly number[]; leave: AbortController } | undefined;

  constructor(window: Window) {
    this.#window = window;
  }

  /** The timeline of a site; `undefined` until it is there. */
  of(site: number): Timeline | undefined {
    return this.#known.get(site);
  }

  /** Says what is shown, in which window. */
  show(inSight: readonly number[], window: Window): void {
    if (window !== this.#window) this.#forget(window);
    this.#inSight = inSight;
    if (this.#asking && !this.#asking.sites.some((site) => inSight.includes(site))) this.#leave();
    this.#later(REST_MS);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#leave();
  }

  #forget(window: Window): void {
    this.#leave();
    this.#window = window;
    this.#known.clear();
    this.#asked.clear();
  }

  /** What is not waited for any more counts as not asked for. */
  #leave(): void {
    this.#asking?.leave.abort();
    for (const site of this.#asking?.sites ?? []) this.#asked.delete(site);
    this.#asking = undefined;
  }

  #later(pause: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#look(), pause);
  }

  /** Asks for what is wanted, one question at a time. */
  async #look(): Promise<void> {
    const sites = document.hidden || this.#asking ? [] : wanted(this.#inSight, (site) => this.#asked.get(site), Date.now());
    if (sites.length === 0) return this.#later(LOOK_MS);
    const asking = { sites, leave: new AbortController() };
    this.#asking = asking;
    for (const site of sites) this.#asked.set(site, Date.now());
    try {
      const signal = AbortSignal.any([asking.leave.signal, AbortSignal.timeout(PATIENCE_MS)]);
      const { body } = await get<Answer>(`/api/v1/timelines?window=${this.#window}&site_id=${sites.join(",")}`, session.token, null, signal);
      this.#take(body);
    } catch (error) {
      if (asking.leave.signal.aborted) return;
      // Bars are an addition: what is wrong, the overview itself says. They are asked for again when they are old.
      if (error instanceof ApiError && error.status === 401) session.refuse(error.message);
    }
    this.#asking = undefined;
    this.#later(REST_MS);
  }

  #take(answer: Answer): void {
    for (const timeline of timelinesOf(answer)) {
      const site = timeline.columns.site_id;
      this.#known.delete(site);
      this.#known.set(site, timeline);
    }
    for (const site of this.#known.keys()) {
      if (this.#known.size <= KEPT) break;
      this.#known.delete(site);
      this.#asked.delete(site);
    }
  }
}
