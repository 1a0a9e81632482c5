// Numbers as people read them. What is not known is a dash, never a number.

export const NOT_KNOWN = "–";

/** A share in per cent. Never rounded up to a better one: 0.99999 is not 100 %. */
export function percent(share: number | null | undefined): string {
  if (share == null) return NOT_KNOWN;
  if (share === 1) return "100 %";
  const digits = share >= 0.999 ? 3 : share >= 0.1 ? 2 : 1;
  const unit = 10 ** digits;
  return `${(Math.floor(share * 100 * unit + 1e-9) / unit).toFixed(digits)} %`;
}

/** Microseconds as a time with at most three digits. */
export function duration(micros: number | null | undefined): string {
  if (micros == null) return NOT_KNOWN;
  const millis = micros / 1000;
  if (millis < 1) return "< 1 ms";
  if (millis < 10) return `${millis.toFixed(1)} ms`;
  if (millis < 1000) return `${Math.round(millis)} ms`;
  return `${(millis / 1000).toFixed(millis < 10_000 ? 2 : 1)} s`;
}

/** The same, where also what is shorter than a millisecond is told apart. */
export function fineDuration(micros: number): string {
  return micros < 1000 ? `${Math.round(micros)} µs` : duration(micros);
}

const COUNTS = new Intl.NumberFormat("en");

export function count(value: number): string {
  return COUNTS.format(value);
}
