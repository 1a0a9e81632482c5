// One check as a waterfall: which phase began when, and how long it took.

import type { Failure, Hop, Timings } from "../api/schema";
import { PART_NAMES, PHASES, type Part } from "./phases";

/** What of a check says where its time went. */
export interface Timed {
  timings_us: Timings;
  failure?: Failure | null;
  attempts?: number;
  http?: { redirects: number; hops?: Hop[] | null } | null;
}

export interface Bar {
  part: Part;
  name: string;
  /** Microseconds. */
  start: number;
  length: number;
  /** Whether the check ended in this one, without its being done. */
  failed: boolean;
}

/** Where a failure happened, among what is measured. */
const PARTS: Partial<Record<NonNullable<Failure["phase"]>, (typeof PHASES)[number]>> = {
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
 * The phases one after the other, which are those of the last hop of the last attempt. What is left of the total was
 * before them, or belongs to the phase in which the check failed.
 */
export function waterfall(check: Timed): Bar[] {
  const { timings_us: timings, failure } = check;
  const known = PHASES.flatMap((part) => (timings[part] == null ? [] : [{ part, length: timings[part] }]));
  const rest = Math.max((timings.total ?? 0) - sumOf(timings), 0);
  const end = failure?.phase == null ? undefined : PARTS[failure.phase];
  const failed = end !== undefined && timings[end] == null ? end : null;
  const before = beforeOf(check, rest, failed !== null);

  const bars: Omit<Bar, "start">[] = known.map((one) => ({ ...one, name: PART_NAMES[one.part], failed: false }));
  if (isMuch(before, timings)) bars.unshift({ part: "other", name: nameOf(check), length: before, failed: false });
  if (failed !== null) bars.push({ part: failed, name: PART_NAMES[failed], length: rest - before, failed: true });
  else if (isMuch(rest - before, timings)) bars.push({ part: "other", name: PART_NAMES.other, length: rest - before, failed: false });
  return oneAfterTheOther(bars);
}

/** How much of the rest was before the phases: only of a check that died it is not all. */
function beforeOf({ http, attempts = 0 }: Timed, rest: number, hasDied: boolean): number {
  const redirects = http?.redirects ?? 0;
  if (hasDied) return Math.min(rest, (http?.hops ?? []).reduce((sum, hop) => sum + lengthOf(hop.timings_us), 0));
  return redirects > 0 || attempts > 1 ? rest : 0;
}

function nameOf({ attempts = 0 }: Timed): string {
  return attempts > 1 ? "Before" : "Redirects";
}

function isMuch(length: number, timings: Timings): boolean {
  return length > LITTLE * lengthOf(timings);
}

function oneAfterTheOther(bars: readonly Omit<Bar, "start">[]): Bar[] {
  let start = 0;
  return bars.map((bar) => {
    const placed = { ...bar, start };
    start += bar.length;
    return placed;
  });
}

function sumOf(timings: Timings): number {
  return PHASES.reduce((sum, part) => sum + (timings[part] ?? 0), 0);
}

/** The length of the whole: never shorter than what is in it. */
export function lengthOf(timings: Timings): number {
  return Math.max(timings.total ?? 0, sumOf(timings));
}
