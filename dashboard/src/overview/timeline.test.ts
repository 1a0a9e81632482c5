import { describe, expect, test } from "vitest";

import type { SiteTimeline } from "../api/schema";
import { MOST, RENEW_MS, wanted } from "./sight";
import { figures, sentence, shapes, spoken, stepAt, timelinesOf, when, type Timeline } from "./timeline";

const HOUR = 3_600_000;
/** Three hours: one that was up, one in which half failed, one of which nothing is known. */
const COLUMNS: SiteTimeline = { site_id: 7, up: [60, 20, 0], degraded: [0, 10, 0], down: [0, 30, 0], missed: [0, 0, 59], error: [0, 0, 1], p95_us: [120_000, 240_000, null] };
const from = new Date(2026, 2, 1, 14).getTime();
const timeline = (some: Partial<SiteTimeline> = {}, step = HOUR): Timeline => ({ from, to: from + 2.5 * step, step, columns: { ...COLUMNS, ...some } });
const rectangles = (path: string) => path.split("M").slice(1);

describe("a bar", () => {
  test("has every step, and what is not known apart", () => {
    const { steps, up, degraded, down, lost } = shapes(timeline());
    expect(steps).toBe(3);
    expect(rectangles(down)).toEqual(["1 50h0.86v50h-0.86z"]);
    expect(rectangles(degraded)).toEqual(["1 33.3h0.86v16.7h-0.86z"]);
    expect(rectangles(up)).toEqual(["0 0h0.86v100h-0.86z", "1 0h0.86v33.3h-0.86z"]);
    expect(rectangles(lost)).toHaveLength(1);
    expect(lost).toMatch(/^M2 /);
  });

  test("shows what was short", () => {
    expect(shapes(timeline({ up: [9999, 0, 0], degraded: [0, 0, 0], down: [1, 0, 0] })).down).toBe("M0 68h0.86v32h-0.86z");
  });

  test("is drawn with as many paths for 90 days as for one", () => {
    const days = new Array<number>(91).fill(5);
    const drawn = shapes(timeline({ up: days, degraded: days, down: days, missed: days, error: days, p95_us: days }));
    expect(Object.values(drawn).filter((one) => typeof one === "string")).toHaveLength(5);
    expect(rectangles(drawn.up)).toHaveLength(91);
  });
});

describe("a line of the p95", () => {
  test("goes from nothing to the slowest, and is broken where nothing is known", () => {
    expect(shapes(timeline({ p95_us: [100, 200, null] })).p95).toBe("M0.25 50L0.5 50L1.5 0");
    expect(shapes(timeline({ p95_us: [null, 200, null] })).p95).toBe("M1.25 0L1.5 0");
    expect(shapes(timeline({ p95_us: [null, null, null] })).p95).toBe("");
  });
});

describe("under the pointer", () => {
  test.each([
    [-0.1, 0],
    [0, 0],
    [0.34, 1],
    [0.99, 2],
    [1, 2],
  ])("at %s of the width is step %i", (part, step) => expect(stepAt(3, part)).toBe(step));

  test("a step is told with its time, the last up to now", () => {
    expect(when(timeline(), 1)).toMatch(/, 15:00–16:00$/);
    expect(when(timeline(), 2)).toMatch(/, 16:00–16:30$/);
    expect(when({ ...timeline({}, 24 * HOUR), from: new Date(2026, 2, 1).getTime() }, 0)).not.toContain("–");
  });

  test("a step is told with what its checks came to", () => {
    expect(figures(timeline(), 1)).toBe("20 up, 10 degraded, 30 down, p95 240 ms");
    expect(figures(timeline(), 2)).toBe("60 not known");
    expect(figures(timeline({ missed: [0, 0, 0], error: [0, 0, 0] }), 2)).toBe("no check");
  });
});

describe("in one sentence", () => {
  test("a bar says how often it was not well", () => {
    expect(sentence(timeline())).toMatch(/^Down in 1 of 3 hours, last .*15:00–16:00; not known in 1 of 3 hours$/);
    expect(sentence(timeline({ down: [0, 0, 0] }, 24 * HOUR))).toBe("Degraded in 1 of 3 days; not known in 1 of 3 days");
    expect(sentence(timeline({ up: [1, 1, 1], degraded: [0, 0, 0], down: [0, 0, 0] }))).toBe("Up in all of 3 hours");
  });

  test("the p95 says from where to where it goes", () => {
    expect(spoken(timeline())).toBe("p95 from 120 ms to 240 ms");
    expect(spoken(timeline({ p95_us: [null] }))).toBe("p95 –");
  });
});

test("an answer is one timeline for each site", () => {
  const [one] = timelinesOf({ from: "2026-03-01T00:00:00Z", to: "2026-03-01T03:00:00Z", step_ms: HOUR, sites: [COLUMNS] });
  expect(one).toEqual({ from: Date.parse("2026-03-01T00:00:00Z"), to: Date.parse("2026-03-01T03:00:00Z"), step: HOUR, columns: COLUMNS });
});

describe("what is asked for", () => {
  const asked = (times: Record<number, number>) => (site: number) => times[site];
  test("is what is in sight, and not there or old", () => {
    expect(wanted([1, 2, 3], asked({ 2: 1000, 3: 0 }), RENEW_MS)).toEqual([1, 3]);
  });
  test("is no more than is answered at once", () => {
    expect(wanted(Array.from({ length: 500 }, (_, site) => site), asked({}), 0)).toHaveLength(MOST);
  });
});
