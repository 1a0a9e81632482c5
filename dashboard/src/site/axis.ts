// The words on the axes of charts.

const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const DATE = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric" });

const HALF_DAY = 12 * 3600;

/** Instants in seconds as the viewer's clock has them; where a day begins, its date. */
export function instants(splits: readonly number[], step: number): string[] {
  let shown = "";
  return splits.map((at) => {
    const date = DATE.format(at * 1000);
    const clock = CLOCK.format(at * 1000);
    if (step < HALF_DAY * 2 && clock !== "00:00") return clock;
    if (date === shown) return "";
    shown = date;
    return date;
  });
}

/** Microseconds, no more exactly than the step between two asks for. */
export function durations(splits: readonly number[]): string[] {
  const whole = splits.every((micros) => micros % 1000 === 0);
  const large = Math.max(...splits) >= 1_000_000;
  return splits.map((micros) => {
    if (micros === 0) return "0";
    if (large) return `${trimmed(micros / 1e6)} s`;
    return whole ? `${micros / 1000} ms` : `${trimmed(micros / 1000)} ms`;
  });
}

export function counts(splits: readonly number[]): string[] {
  return splits.map((value) => (Number.isInteger(value) ? value.toLocaleString("en") : ""));
}

function trimmed(value: number): string {
  return String(Math.round(value * 1000) / 1000);
}

const SAME_DAY = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const LONG = new Intl.DateTimeFormat(undefined, { year: "numeric", month: "short", day: "numeric" });

/** A stretch of time in words, in the viewer's zone. */
export function stretch(from: number, to: number): string {
  const days = to - from >= HALF_DAY * 2000 && isMidnight(from) && isMidnight(to);
  if (days) return to - from < HALF_DAY * 3000 ? LONG.format(from) : LONG.formatRange(from, to - 1);
  return DATE.format(from) === DATE.format(to) ? `${SAME_DAY.format(from)}–${CLOCK.format(to)}` : `${SAME_DAY.format(from)} – ${SAME_DAY.format(to)}`;
}

function isMidnight(at: number): boolean {
  return CLOCK.format(at) === "00:00";
}
