// Answers of the API as columns of numbers, which is what a chart draws.

import type { Availability, PhaseDurations, ResponseTime } from "../api/schema";
import { PHASES, type Part, type Phase } from "../check/phases";
import type { Extent } from "./range";

export type Column = (number | null)[];

export interface Bucket {
  from: string;
  to: string;
}

/** The middle of each bucket, in seconds: the first and the last are cut off by the range. */
export function middles(buckets: readonly Bucket[]): number[] {
  return buckets.map(({ from, to }) => (Date.parse(from) + Date.parse(to)) / 2000);
}

/** The middle that each bucket would have when it were whole, so that bars are equally far apart. */
export function centres(buckets: readonly Bucket[]): number[] {
  const widths = buckets.map(({ from, to }) => Date.parse(to) - Date.parse(from));
  const half = Math.max(...widths) / 2;
  return buckets.map(({ from, to }, index) => (index === 0 && buckets.length > 1 ? Date.parse(to) - half : Date.parse(from) + half) / 1000);
}

/** What the range of an answer really is: where checks are gone it is that of whole hours. */
export function extentOf(whole: Bucket): Extent {
  return { from: Date.parse(whole.from), to: Date.parse(whole.to) };
}

export function percentiles(series: readonly ResponseTime[]): { p50: Column; p95: Column; p99: Column } {
  const of = (key: "p50_us" | "p95_us" | "p99_us") => series.map(({ durations }) => durations.total?.[key] ?? null);
  return { p50: of("p50_us"), p95: of("p95_us"), p99: of("p99_us") };
}

/**
 * What each phase adds to the mean of the total. A phase that some checks do not have counts as nothing for
 * them; `null` where there was no available check.
 */
export function shares(durations: PhaseDurations): Record<Part, number> | null {
  const total = durations.total;
  if (!total) return null;
  const of = (phase: Phase) => {
    const one = durations[phase];
    return one ? (one.mean_us * one.count) / total.count : 0;
  };
  const known = { dns: of("dns"), connect: of("connect"), tls: of("tls"), first_byte: of("first_byte"), transfer: of("transfer") };
  const sum = PHASES.reduce((all, phase) => all + known[phase], 0);
  return { ...known, other: Math.max(total.mean_us - sum, 0) };
}

/** The first column is the sum of all, each further one without those before it: drawn in this order, they are a stack. */
export function stacked(columns: readonly Column[]): Column[] {
  const rows = columns[0]?.length ?? 0;
  const sums: Column[] = columns.map(() => new Array<number | null>(rows).fill(null));
  for (let row = 0; row < rows; row += 1) {
    let sum = 0;
    for (let index = columns.length - 1; index >= 0; index -= 1) {
      const value = columns[index]?.[row];
      if (value == null) continue;
      sum += value;
      const column = sums[index];
      if (column) column[row] = sum;
    }
  }
  return sums;
}

/** Values without a neighbour: a line would not show them. */
export function lonely(column: ArrayLike<number | null | undefined>): number[] {
  const found: number[] = [];
  for (let index = 0; index < column.length; index += 1) {
    if (column[index] != null && column[index - 1] == null && column[index + 1] == null) found.push(index);
  }
  return found;
}

/** A stretch of time that is marked, in milliseconds. */
export interface Mark extends Extent {
  what: "down" | "lost";
}

/** The steps in which checks failed, and those of which too little is known. */
export function marksOf(series: readonly Availability[]): Mark[] {
  const lengths = series.map(({ from, to }) => Date.parse(to) - Date.parse(from));
  const whole = Math.max(...lengths);
  return series.flatMap(({ from, to, outcomes, coverage }, index) => {
    // In what is left of a step at an end of the range, no check may have been due.
    const isRest = coverage == null && (lengths[index] ?? 0) < whole;
    const what = outcomes.down > 0 ? "down" : isRest ? null : coverage == null || coverage < LITTLE ? "lost" : null;
    return what === null ? [] : [{ what, from: Date.parse(from), to: Date.parse(to) }];
  });
}

/** A step of which less than this share of the checks told something. */
const LITTLE = 0.5;

/** The bucket that an instant is in, or the nearest. */
export function bucketAt(buckets: readonly Bucket[], instant: number): number | null {
  let [low, high] = [0, buckets.length - 1];
  if (high < 0) return null;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (Date.parse(buckets[middle]?.to ?? "") > instant) high = middle;
    else low = middle + 1;
  }
  return low;
}
