// The time that the charts show: the last hours or days, or from one instant to another.

import { DAY } from "../words/time";

export const SPANS = ["1h", "24h", "7d", "30d", "90d"] as const;
export type Span = (typeof SPANS)[number];

export const SPAN_NAMES: Record<Span, string> = {
  "1h": "hour",
  "24h": "24 hours",
  "7d": "7 days",
  "30d": "30 days",
  "90d": "90 days",
};

const HOUR = DAY / 24;
const MINUTE = HOUR / 60;
const LENGTHS: Record<Span, number> = { "1h": HOUR, "24h": DAY, "7d": 7 * DAY, "30d": 30 * DAY, "90d": 90 * DAY };

/** Shorter than this there is little to see: a step is a minute at least. */
const SHORTEST = 10 * MINUTE;
const LONGEST = 400 * DAY;
/** A zoom by a button, and a step to the side, as parts of what is shown. */
const ZOOM = 0.5;
const SIDE = 0.5;

export interface Extent {
  from: number;
  to: number;
}

/** Up to now, or fixed. */
export type Range = { last: Span } | Extent;

export const DAY_RANGE: Range = { last: "24h" };

export function isLast(range: Range): range is { last: Span } {
  return "last" in range;
}

/** What an address asks for; what it says wrongly counts as not said. */
export function parseRange(words: URLSearchParams): Range {
  const [from, to] = [Date.parse(words.get("from") ?? ""), Date.parse(words.get("to") ?? "")];
  if (from < to) return within({ from, to }, Infinity);
  const last = SPANS.find((span) => span === words.get("window"));
  return last === undefined ? DAY_RANGE : { last };
}

/** What of an address says the range. */
export function formatRange(range: Range): [string, string][] {
  if (!isLast(range)) return [["from", instant(range.from)], ["to", instant(range.to)]];
  return range.last === "24h" ? [] : [["window", range.last]];
}

/** The range in a question to the API. */
export function question(range: Range): string {
  return isLast(range) ? `from=${range.last}` : `from=${instant(range.from)}&to=${instant(range.to)}`;
}

/** Steps that divide a day, and the day itself, in minutes. */
const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 180, 240, 360, 720, 1440];

/** The shortest step that has so many buckets at most; days are those of the viewer's zone. */
export function stepOf(range: Range, most: number): string {
  const { from, to } = extentOf(range, 0);
  const minutes = (to - from) / MINUTE;
  const step = STEPS.find((one) => minutes / one <= most) ?? Math.ceil(minutes / most / 1440) * 1440;
  return step < 1440 ? `step=${step}m` : `step=${step / 1440}d&tz=${encodeURIComponent(zone())}`;
}

/** The viewer's time zone; UTC where the browser has none. */
export function zone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
}

export function extentOf(range: Range, now: number): Extent {
  return isLast(range) ? { from: now - LENGTHS[range.last], to: now } : range;
}

/** How often it is worth asking again; `null` for what does not change any more. */
export function pauseOf(range: Range): number | null {
  if (!isLast(range)) return null;
  return range.last === "1h" ? 10_000 : range.last === "24h" ? 30_000 : 120_000;
}

/** A part that was chosen, made long enough to show something, and not in the future. */
export function within(extent: Extent, now: number): Extent {
  const middle = (extent.from + extent.to) / 2;
  const length = Math.min(Math.max(extent.to - extent.from, SHORTEST), LONGEST);
  const to = Math.min(second(middle + length / 2), second(now));
  return { from: second(to - length), to };
}

/** An outage is shown with what was before and after it: so much of its length, and at least so long. */
const BESIDE = 0.5;
const LEAST_BESIDE = 5 * MINUTE;

export function around({ from, to }: Extent): Extent {
  const beside = Math.max((to - from) * BESIDE, LEAST_BESIDE);
  return { from: from - beside, to: to + beside };
}

export function closer(range: Range, now: number): Extent {
  return scaled(range, now, ZOOM);
}

export function wider(range: Range, now: number): Extent {
  return scaled(range, now, 1 / ZOOM);
}

function scaled(range: Range, now: number, factor: number): Extent {
  const { from, to } = extentOf(range, now);
  const [middle, half] = [(from + to) / 2, ((to - from) / 2) * factor];
  return within({ from: middle - half, to: middle + half }, now);
}

/** Earlier (-1) or later (1). */
export function aside(range: Range, now: number, way: -1 | 1): Extent {
  const { from, to } = extentOf(range, now);
  const shift = way * SIDE * (to - from);
  return within({ from: from + shift, to: to + shift }, now);
}

function second(instant: number): number {
  return Number.isFinite(instant) ? Math.round(instant / 1000) * 1000 : instant;
}

function instant(at: number): string {
  return new Date(at).toISOString().replace(".000Z", "Z");
}
