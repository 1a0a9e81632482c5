// What is shown of a site. It is in the address, so that it can be sent to somebody.

import type { Outcome } from "../api/schema";
import { OUTCOMES } from "../words/outcomes";
import { DAY_RANGE, formatRange, parseRange, type Range } from "./range";

export interface View {
  range: Range;
  /** Only checks that ended so; `null` for all. */
  outcome: Outcome | null;
  /** Only checks from there; empty for all. */
  region: string;
  /** The check that is open, as `checkKey` names it; empty for none. */
  check: string;
}

export const EVERYTHING: Readonly<View> = { range: DAY_RANGE, outcome: null, region: "", check: "" };

/** What an address asks for; what it says wrongly counts as not said. */
export function parse(query: string): View {
  const words = new URLSearchParams(query);
  return {
    range: parseRange(words),
    outcome: OUTCOMES.find((outcome) => outcome === words.get("outcome")) ?? null,
    region: words.get("region") ?? "",
    check: words.get("check") ?? "",
  };
}

/** The query of an address: only what is not as it is anyway. */
export function format(view: View): string {
  const words = new URLSearchParams(formatRange(view.range));
  if (view.outcome !== null) words.set("outcome", view.outcome);
  if (view.region !== "") words.set("region", view.region);
  if (view.check !== "") words.set("check", view.check);
  return words.toString().replaceAll("%3A", ":").replaceAll("%2F", "/");
}
