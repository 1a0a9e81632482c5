// Stored checks, as the list has them.

import type { StoredCheck } from "../api/schema";
import { WARNINGS } from "../words/outcomes";
import { ofFailure } from "../words/reason";

/** Names a check in the address: its slot, which is one site's and region's. */
export function checkKey(check: Pick<StoredCheck, "scheduled_at" | "region">): string {
  return `${check.scheduled_at}/${check.region}`;
}

/** Where the check of a key is asked for; `null` where it is none. */
export function checkQuestion(key: string): string | null {
  const [slot = "", region] = key.split("/");
  const at = Date.parse(slot);
  if (region === undefined || !Number.isFinite(at)) return null;
  const words = new URLSearchParams({ from: slot, to: new Date(at + 1).toISOString(), region, limit: "1" });
  return words.toString();
}

/** Why it ended so, in a few words; empty where there is no more to say. */
export function inShort(check: StoredCheck): string {
  if (check.failure) return ofFailure(check.failure, check.status_code);
  return check.warnings.map((one) => WARNINGS[one]).join(", ");
}

/** How long after its slot a check began. */
export function delay(check: StoredCheck): number | null {
  return check.started_at ? Date.parse(check.started_at) - Date.parse(check.scheduled_at) : null;
}
