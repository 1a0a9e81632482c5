import uPlot from "uplot";

/** Bars as wide as a step, with a gap between two, and not wider than that many pixels. */
export function bars(gap: number, widest: number): Pick<uPlot.Series, "paths"> {
  const paths = uPlot.paths.bars?.({ size: [1, widest], gap });
  return paths ? { paths } : {};
}
