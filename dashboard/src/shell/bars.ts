// The phases of a check, one after the other.

import type { Timings } from "../api/schema";

const PHASES = [
  ["dns", "DNS"],
  ["connect", "Connect"],
  ["tls", "TLS"],
  ["first_byte", "First byte"],
  ["transfer", "Transfer"],
] as const;

export interface Bar {
  name: string;
  micros: number;
  /** Where it begins and how long it is, as shares of the whole check. */
  begin: number;
  length: number;
}

/** What was before the last hop, and the phases of that. A phase that was not reached has no bar. */
export function barsOf(timings: Timings): Bar[] {
  const phases = PHASES.flatMap(([key, name]) => (timings[key] == null ? [] : [{ name, micros: timings[key] }]));
  const sum = phases.reduce((sum, phase) => sum + phase.micros, 0);
  const whole = Math.max(timings.total ?? sum, sum);
  // Some microseconds are between phases; more than that is another hop or attempt.
  const earlier = whole - sum > whole / 50 ? [{ name: "Before", micros: whole - sum }] : [];
  let begin = earlier.length > 0 ? 0 : whole - sum;
  return [...earlier, ...phases].map(({ name, micros }) => {
    const bar = { name, micros, begin: begin / whole, length: micros / whole };
    begin += micros;
    return bar;
  });
}
