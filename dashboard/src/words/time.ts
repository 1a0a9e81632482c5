// Instants and spans as people read them.

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** How long a span is, in its two largest units. */
export function span(millis: number): string {
  if (millis < SECOND) return "now";
  if (millis < MINUTE) return `${Math.floor(millis / SECOND)} s`;
  if (millis < HOUR) return two(millis, MINUTE, "min", SECOND, "s", 10);
  if (millis < DAY) return two(millis, HOUR, "h", MINUTE, "min", 24);
  return two(millis, DAY, "d", HOUR, "h", 7);
}

/** The smaller unit is told only while there are less than `few` of the larger. */
function two(millis: number, large: number, largeName: string, small: number, smallName: string, few: number): string {
  const whole = Math.floor(millis / large);
  const rest = Math.floor((millis % large) / small);
  const head = `${whole} ${largeName}`;
  return whole < few && rest > 0 ? `${head} ${rest} ${smallName}` : head;
}

const TODAY = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const LONG_AGO = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

const OTHER_YEAR = new Intl.DateTimeFormat(undefined, { year: "numeric", month: "short", day: "numeric" });
/** From this far on it is not clear which year is meant. */
const FAR = 300 * DAY;

/** An instant in the viewer's zone. */
export function local(instant: number, now: number): string {
  const away = Math.abs(now - instant);
  return (away < DAY / 2 ? TODAY : away < FAR ? LONG_AGO : OTHER_YEAR).format(instant);
}

/** The same everywhere: what people in several zones can talk about. */
export function utc(instant: number): string {
  return `${new Date(instant).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** Whole days until an instant, negative after it. */
export function daysUntil(instant: number, now: number): number {
  return Math.floor((instant - now) / DAY);
}
