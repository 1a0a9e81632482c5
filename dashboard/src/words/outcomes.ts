// How a check ended.

import type { ContentMatch, Outcome, SiteState, Warning } from "../api/schema";

export const OUTCOMES = ["up", "degraded", "down", "missed", "error"] as const satisfies readonly Outcome[];

export const OUTCOME_NAMES: Record<Outcome, string> = {
  up: "Up",
  degraded: "Degraded",
  down: "Down",
  missed: "Missed",
  error: "Error",
};

/** The state whose mark and colours an outcome has: our own trouble says nothing of the site. */
export const OUTCOME_STATES: Record<Outcome, SiteState> = {
  up: "up",
  degraded: "degraded",
  down: "down",
  missed: "unknown",
  error: "stale",
};

export const CONTENT: Record<ContentMatch, string> = {
  matched: "as expected",
  unmatched: "not as expected",
  not_checked: "not looked at",
};

export const WARNINGS: Record<Warning, string> = {
  slow_response: "Slower than allowed",
  cert_expires_soon: "The certificate ends soon",
};
