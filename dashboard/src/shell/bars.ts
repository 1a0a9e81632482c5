// The phases of a check, one after the other.

import type { Hop, Phase, Timings } from "../api/schema";

const PHASES = [
  ["dns", "DNS"],
  ["connect", "Connect"],
  ["tls", "TLS"],
  ["first_byte", "First byte"],
  ["transfer", "Transfer"],
] as const;

type Measured = (typeof PHASES)[number][0];

/** Which measure a phase ends, that can fail. */
const ENDS: Record<Phase, Measured | null> = {
  dns: "dns",
  connect: "connect",
  tls: "tls",
  send: "first_byte",
  first_byte: "first_byte",
  body: "transfer",
  assertion: null,
};

export interface Bar {
  name: string;
  micros: number;
  /** Where it begins and how long it is, as shares of the whole check. */
  begin: number;
  length: number;
  /** Whether it did not end well. */
  failed: boolean;
}

/**
 * What was before the last hop, and the phases of that. A phase that was not reached has no bar; the
 * one that failed has the time until then.
 */
export function barsOf(timings: Timings, failed: Phase | null = null, hops: readonly Hop[] = []): Bar[] {
  const phases = PHASES.flatMap(([key, name]) => (timings[key] == null ? [] : [{ name, micros: timings[key], failed: false }]));
  const sum = phases.reduce((sum, phase) => sum + phase.micros, 0);
  const whole = Math.max(timings.total ?? sum, sum);
  const end = failed === null ? null : ENDS[failed];
  const broken = PHASES.find(([key]) => key === end && timings[key] == null);

  const rest = whole - sum;
  const earlier = broken ? Math.min(rest, hops.reduce((sum, hop) => sum + lengthOf(hop.timings_us), 0)) : rest;
  // Some microseconds are between phases; more than that is another hop or attempt.
  const before = earlier > whole / 50 ? [{ name: "Before", micros: earlier, failed: false }] : [];
  const last = broken ? [{ name: broken[1], micros: rest - earlier, failed: true }] : [];

  let begin = before.length > 0 ? 0 : earlier;
  return [...before, ...phases, ...last].map((phase) => {
    const bar = { ...phase, begin: begin / (whole || 1), length: phase.micros / (whole || 1) };
    begin += phase.micros;
    return bar;
  });
}

function lengthOf(timings: Timings): number {
  return PHASES.reduce((sum, [key]) => sum + (timings[key] ?? 0), 0);
}
