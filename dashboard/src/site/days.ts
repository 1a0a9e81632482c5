// One day of a site, in words and among others.

import type { Availability } from "../api/schema";
import { count, percent } from "../words/numbers";

/** A warning is to be seen less than a failure. */
export const LEAST = { down: 14, degraded: 8 };

export function figures(day: Availability): string {
  const { up, degraded, down, missed, error } = day.outcomes;
  const all = up + degraded + down + missed + error;
  if (all === 0) return "no checks, nothing is known";
  const parts = [
    `uptime ${percent(day.uptime)}`,
    `coverage ${percent(day.coverage)}`,
    `${count(all)} ${all === 1 ? "check" : "checks"}`,
    ...(down > 0 ? [`${count(down)} down`] : []),
    ...(degraded > 0 ? [`${count(degraded)} degraded`] : []),
    ...(missed + error > 0 ? [`${count(missed + error)} not known`] : []),
  ];
  return parts.join(", ");
}

/** Where arrows go, among so many days: in a row with weeks below each other, or, `inWeeks`, one week beside the other. */
export function moved(index: number, key: string, days: number, inWeeks: boolean): number | null {
  const [along, across] = inWeeks ? [7, 1] : [1, 7];
  const steps: Record<string, number> = { ArrowLeft: -along, ArrowRight: along, ArrowUp: -across, ArrowDown: across, Home: -days, End: days };
  const step = steps[key];
  return step === undefined ? null : Math.min(Math.max(index + step, 0), days - 1);
}
