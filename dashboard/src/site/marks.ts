// What is drawn on charts beside their values: when the site was down, and of when too little is known.

import type uPlot from "uplot";

import type { Mark } from "./columns";
import type { Extent } from "./range";

/** Strength of a shade, and the height of the line above it and of a mark, in CSS pixels. */
const SHADE = 0.13;
const EDGE = 2;
const MARK = 5;
/** Something so short is still to be seen. */
const NARROWEST = 2;

/** Shades what an outage lasted; one that is too short for that has the line only. */
export function shade(chart: uPlot, outages: readonly Extent[], colour: string): void {
  const { context, top, height, ratio } = canvas(chart);
  // One path each: where two outages share a pixel it is no darker.
  const [shades, edges] = [new Path2D(), new Path2D()];
  for (const outage of outages) {
    const [left, width] = place(chart, outage);
    if (width <= 0) continue;
    edges.rect(left, top, width, EDGE * ratio);
    if (width > NARROWEST * ratio) shades.rect(left, top, width, height);
  }
  context.save();
  context.fillStyle = colour;
  context.fill(edges);
  context.globalAlpha = SHADE;
  context.fill(shades);
  context.restore();
}

/** Marks steps at the bottom. */
export function mark(chart: uPlot, marks: readonly Mark[], colours: Record<Mark["what"], string>): void {
  const { context, top, height, ratio } = canvas(chart);
  context.save();
  for (const one of marks) {
    const [left, width] = place(chart, one);
    if (width <= 0) continue;
    const tall = (one.what === "down" ? MARK : MARK / 2) * ratio;
    context.fillStyle = colours[one.what];
    context.fillRect(left, top + height - tall, width, tall);
  }
  context.restore();
}

function canvas(chart: uPlot) {
  const { top, height } = chart.bbox;
  return { context: chart.ctx, top, height, ratio: devicePixelRatio };
}

/** Where a stretch begins on the canvas, and how wide it is there: nothing beyond the edges. */
function place(chart: uPlot, { from, to }: Extent): [left: number, width: number] {
  const { left, width } = chart.bbox;
  const clamped = (at: number) => Math.min(Math.max(chart.valToPos(at / 1000, "x", true), left), left + width);
  const [begin, end] = [clamped(from), clamped(to)];
  const { min, max } = chart.scales["x"] ?? {};
  const isOutside = min == null || max == null || to / 1000 < min || from / 1000 > max;
  return [begin, isOutside ? 0 : Math.max(end - begin, NARROWEST * devicePixelRatio)];
}
