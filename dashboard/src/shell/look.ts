// How the checks of some time look as a bar.

import type { OutcomeCounts } from "../api/schema";

/** The parts of a bar from its bottom, which add up to 100; what is missing is not known. */
export interface Look {
  down: number;
  degraded: number;
  up: number;
}

/** What has happened is to be seen, however short it was: the smallest part of a bar. */
export interface Least {
  down: number;
  degraded: number;
}

/** Less than this share lost is not worth a look. */
const LITTLE = 0.01;

export function look({ up, degraded, down, missed, error }: OutcomeCounts, least: Least): Look {
  const told = up + degraded + down;
  if (told === 0) return { down: 0, degraded: 0, up: 0 };
  const lost = (missed + error) / (told + missed + error);
  const whole = 100 - (lost < LITTLE ? 0 : Math.max(lost * 100, least.down));
  const part = (checks: number, smallest: number) => (checks === 0 ? 0 : Math.min(Math.max((checks / told) * whole, smallest), whole));
  const red = part(down, least.down);
  const amber = Math.min(part(degraded, least.degraded), whole - red);
  return { down: red, degraded: amber, up: whole - red - amber };
}
