// How a site was, step by step, as shapes and in words.

import type { OutcomeCounts, SiteTimeline, Timelines } from "../api/schema";
import { look } from "../shell/look";
import { count, duration, NOT_KNOWN } from "../words/numbers";

/** The steps of one site. */
export interface Timeline {
  /** When the first begins and the last ends, and how long each is, in milliseconds. */
  from: number;
  to: number;
  step: number;
  columns: SiteTimeline;
}

/** What is drawn of a timeline: one path for each colour, in a box as wide as there are steps and 100 high. */
export interface Shapes {
  steps: number;
  up: string;
  degraded: string;
  down: string;
  lost: string;
  p95: string;
}

/** In a bar of some 16 pixels something smaller is not seen. */
const LEAST = { down: 32, degraded: 14 };
/** A part of each step is left free, unless the steps are thin anyway. */
const GAP = 0.14;
const MANY = 48;
/** What is not known is a thin line in the middle. */
const LOST = { bottom: 42, height: 16 };

export function timelinesOf(answer: Timelines): Timeline[] {
  const [from, to, step] = [Date.parse(answer.from), Date.parse(answer.to), answer.step_ms];
  return answer.sites.map((columns) => ({ from, to, step, columns }));
}

export function outcomesAt({ up, degraded, down, missed, error }: SiteTimeline, index: number): OutcomeCounts {
  return { up: up[index] ?? 0, degraded: degraded[index] ?? 0, down: down[index] ?? 0, missed: missed[index] ?? 0, error: error[index] ?? 0 };
}

export function shapes({ columns }: Timeline): Shapes {
  const steps = columns.up.length;
  const width = steps > MANY ? 1 : 1 - GAP;
  const drawn = { up: "", degraded: "", down: "", lost: "" };
  for (let index = 0; index < steps; index += 1) {
    const { up, degraded, down } = look(outcomesAt(columns, index), LEAST);
    const rectangle = (bottom: number, height: number) => (height === 0 ? "" : `M${index} ${round(100 - bottom - height)}h${width}v${round(height)}h${-width}z`);
    drawn.down += rectangle(0, down);
    drawn.degraded += rectangle(down, degraded);
    drawn.up += rectangle(down + degraded, up);
    if (up + degraded + down === 0) drawn.lost += rectangle(LOST.bottom, LOST.height);
  }
  return { steps, ...drawn, p95: spark(columns.p95_us) };
}

/** A line from nothing to the slowest; where nothing is known it is broken, and a step alone is a dash. */
function spark(values: readonly (number | null)[]): string {
  const most = Math.max(...values.map((value) => value ?? 0), 1);
  let path = "";
  let isDrawing = false;
  for (const [index, value] of values.entries()) {
    if (value !== null) {
      const y = round(100 - (value / most) * 100);
      path += isDrawing ? `L${index + 0.5} ${y}` : `M${index + 0.25} ${y}L${index + 0.5} ${y}`;
    }
    isDrawing = value !== null;
  }
  return path;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

/** The step at a part of the width, which is from 0 to 1. */
export function stepAt(steps: number, part: number): number {
  return Math.min(Math.max(Math.floor(part * steps), 0), steps - 1);
}

const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const DATE = new Intl.DateTimeFormat(undefined, { weekday: "short", month: "short", day: "numeric" });
const DAY_MS = 86_400_000;

/** When a step is. Days are those of UTC, so they may begin at any time of the viewer's. */
export function when({ from, to, step }: Timeline, index: number): string {
  const begin = from + index * step;
  const end = Math.min(begin + step, to);
  const isMidnight = CLOCK.format(begin) === "00:00";
  if (step >= DAY_MS && isMidnight) return DATE.format(begin);
  return `${DATE.format(begin)}, ${CLOCK.format(begin)}–${CLOCK.format(end)}`;
}

/** What the checks of a step came to. */
export function figures({ columns }: Timeline, index: number): string {
  const { up, degraded, down, missed, error } = outcomesAt(columns, index);
  const parts = [
    ...(up > 0 ? [`${count(up)} up`] : []),
    ...(degraded > 0 ? [`${count(degraded)} degraded`] : []),
    ...(down > 0 ? [`${count(down)} down`] : []),
    ...(missed + error > 0 ? [`${count(missed + error)} not known`] : []),
  ];
  if (parts.length === 0) return "no check";
  const p95 = columns.p95_us[index];
  return p95 == null ? parts.join(", ") : `${parts.join(", ")}, p95 ${duration(p95)}`;
}

/** A bar as one sentence. */
export function sentence(timeline: Timeline): string {
  const all = timeline.columns.up.map((_, index) => outcomesAt(timeline.columns, index));
  const units = timeline.step >= DAY_MS ? "days" : timeline.step > DAY_MS / 24 ? "steps" : "hours";
  const told = (number: number) => `${number} of ${all.length} ${units}`;
  const down = all.filter((one) => one.down > 0).length;
  const degraded = all.filter((one) => one.down === 0 && one.degraded > 0).length;
  const unknown = all.filter((one) => one.up + one.degraded + one.down === 0).length;
  const last = all.findLastIndex((one) => one.down > 0);
  const parts = [
    ...(down > 0 ? [`down in ${told(down)}, last ${when(timeline, last)}`] : []),
    ...(degraded > 0 ? [`degraded in ${told(degraded)}`] : []),
    ...(unknown > 0 ? [`not known in ${told(unknown)}`] : []),
  ];
  return parts.length === 0 ? `Up in all of ${all.length} ${units}` : parts.join("; ").replace(/^./, (letter) => letter.toUpperCase());
}

/** The p95 as one sentence. */
export function spoken(timeline: Timeline): string {
  const values = timeline.columns.p95_us.filter((value) => value !== null);
  if (values.length === 0) return `p95 ${NOT_KNOWN}`;
  return `p95 from ${duration(Math.min(...values))} to ${duration(Math.max(...values))}`;
}
