// How sites can be, in the order of how much it matters.

import type { SiteState } from "../api/schema";

export const STATES = [
  "down",
  "degraded",
  "stale",
  "unknown",
  "up",
  "disabled",
] as const satisfies readonly SiteState[];

/** States that somebody on call has to look at. */
export const TROUBLES: readonly SiteState[] = ["down", "degraded", "stale"];

export const LABELS: Record<SiteState, string> = {
  down: "Down",
  degraded: "Degraded",
  stale: "Stale",
  unknown: "Unknown",
  up: "Up",
  disabled: "Disabled",
};

export const MEANINGS: Record<SiteState, string> = {
  down: "The latest check did not end as expected, in one region at least",
  degraded: "Answers as expected, with a warning: slow, or a certificate that ends soon",
  stale: "Nothing was heard lately: the checkers may be in trouble, not the site",
  unknown: "No check has told anything yet",
  up: "Answers as expected in every region",
  disabled: "Not checked",
};

const RANKS = new Map<SiteState, number>(STATES.map((state, rank) => [state, rank]));

/** 0 matters most. */
export function rank(state: SiteState): number {
  return RANKS.get(state) ?? STATES.length;
}

export function isState(text: string): text is SiteState {
  return (STATES as readonly string[]).includes(text);
}

/** One sentence about all sites: the first thing that the page says. */
export function headline(counts: Record<SiteState, number>): string {
  const all = STATES.reduce((sum, state) => sum + counts[state], 0);
  const checked = all - counts.disabled;
  if (all === 0) return "Nothing is monitored yet";
  if (checked === 0) return "Every site is disabled";
  if (counts.down > 0) return `${sites(counts.down)} down`;
  if (counts.stale === checked) return "Nothing is heard from any site";
  if (counts.degraded > 0) return `${sites(counts.degraded)} degraded`;
  if (counts.stale > 0) return `Nothing is heard from ${counts.stale === 1 ? "one site" : `${counts.stale} sites`}`;
  if (counts.unknown === checked) return "Waiting for the first checks";
  return counts.unknown > 0 ? "All that is known is up" : "Everything is up";
}

function sites(count: number): string {
  return count === 1 ? "One site is" : `${count.toLocaleString("en")} sites are`;
}

/** The state that the headline is about. */
export function headlineState(counts: Record<SiteState, number>): SiteState {
  const order: SiteState[] = ["down", "degraded", "stale"];
  const worst = order.find((state) => counts[state] > 0);
  return worst ?? (counts.up > 0 ? "up" : "unknown");
}
