// One day of a site, as a bar and in words.

import type { Availability } from "../api/schema";
import { count, percent } from "../words/numbers";

/** The parts of a bar from its bottom, which add up to 100; what is missing is not known. */
export interface Look {
  down: number;
  degraded: number;
  up: number;
}

/** What has happened is to be seen, however short it was; a warning less than the rest. */
const LEAST = 14;
const LEAST_WARNING = 8;
/** Less than this share lost is not worth a look. */
const LITTLE = 0.01;

export function look(day: Availability): Look {
  const { up, degraded, down } = day.outcomes;
  const told = up + degraded + down;
  if (told === 0) return { down: 0, degraded: 0, up: 0 };
  const lost = 1 - (day.coverage ?? 0);
  const whole = 100 - (lost < LITTLE ? 0 : Math.max(lost * 100, LEAST));
  const part = (checks: number, least: number) => (checks === 0 ? 0 : Math.min(Math.max((checks / told) * whole, least), whole));
  const red = part(down, LEAST);
  const amber = Math.min(part(degraded, LEAST_WARNING), whole - red);
  return { down: red, degraded: amber, up: whole - red - amber };
}

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

/** Where arrows go, among so many days: in a row, or down and up in weeks. */
export function moved(index: number, key: string, days: number): number | null {
  const steps: Record<string, number> = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -7, ArrowDown: 7, Home: -days, End: days };
  const step = steps[key];
  return step === undefined ? null : Math.min(Math.max(index + step, 0), days - 1);
}
