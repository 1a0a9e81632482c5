// One check as a waterfall: which phase began when, and how long it took.

import type { Failure, Timings } from "../api/schema";
import { PHASES, type Part } from "./columns";

export interface Bar {
  part: Part;
  /** Microseconds. */
  start: number;
  length: number;
  /** Whether the check ended in this one, without its being done. */
  failed: boolean;
}

/** Where a failure happened, among what is measured. */
const PARTS: Partial<Record<NonNullable<Failure["phase"]>, Part>> = {
  dns: "dns",
  connect: "connect",
  tls: "tls",
  send: "first_byte",
  first_byte: "first_byte",
  body: "transfer",
};

/** A smaller share of the total is not worth a bar. */
const LITTLE = 0.01;

/**
 * The phases one after the other. What is left of the total belongs to the phase in which the check failed, or
 * else to the redirects before, of which only the last hop has phases.
 */
export function waterfall(timings: Timings, failure: Failure | null | undefined, redirects: number): Bar[] {
  const known = PHASES.flatMap((part) => (timings[part] == null ? [] : [{ part, length: timings[part] }]));
  const sum = known.reduce((all, one) => all + one.length, 0);
  const rest = Math.max((timings.total ?? 0) - sum, 0);
  const lost = rest > LITTLE * (timings.total ?? 0) ? rest : 0;
  const part = failure?.phase == null ? undefined : PARTS[failure.phase];
  const died = part !== undefined && timings[part as keyof Timings] == null;
  const before: Bar[] = lost > 0 && redirects > 0 && !died ? [{ part: "other", start: 0, length: lost, failed: false }] : [];
  let start = before.length > 0 ? lost : 0;
  const bars = known.map((one): Bar => {
    const bar = { ...one, start, failed: false };
    start += one.length;
    return bar;
  });
  if (died) return [...bars, { part, start, length: rest, failed: true }];
  const after: Bar[] = lost > 0 && before.length === 0 ? [{ part: "other", start, length: lost, failed: false }] : [];
  return [...before, ...bars, ...after];
}

/** The length of the whole: never shorter than what is in it. */
export function lengthOf(timings: Timings): number {
  const sum = PHASES.reduce((all, part) => all + (timings[part] ?? 0), 0);
  return Math.max(timings.total ?? 0, sum);
}
