// How urgent the end of a certificate is.

import type { SiteState } from "../api/schema";

/** Fewer days than these are worth a colour. */
const SOON_DAYS = 21;

/** The state whose colour an end in so many days has; none while there is time. */
export function urgencyOf(days: number): SiteState | undefined {
  if (days < 0) return "down";
  return days < SOON_DAYS ? "degraded" : undefined;
}
