import { describe, expect, test } from "vitest";

import type { Availability, PhaseDurations, Statistics } from "../api/schema";
import { counts, durations, instants } from "./axis";
import { bucketAt, centres, lonely, marksOf, middles, percentiles, shares, stacked } from "./columns";
import { failureKinds, statusKinds } from "./kinds";

const statistics = (count: number, mean_us: number): Statistics => ({ count, mean_us, min_us: 0, max_us: 0, p50_us: mean_us, p90_us: 0, p95_us: 0, p99_us: 0 });
const NOTHING: PhaseDurations = { dns: null, connect: null, tls: null, first_byte: null, transfer: null, total: null };

/** Buckets of an hour, the first and the last cut off by the range. */
const BUCKETS = [
  { from: "2026-03-01T10:40:00Z", to: "2026-03-01T11:00:00Z" },
  { from: "2026-03-01T11:00:00Z", to: "2026-03-01T12:00:00Z" },
  { from: "2026-03-01T12:00:00Z", to: "2026-03-01T12:10:00Z" },
];
const clock = (seconds: number) => new Date(seconds * 1000).toISOString().slice(11, 16);

describe("buckets", () => {
  test("have their middle where they are cut off", () => expect(middles(BUCKETS).map(clock)).toEqual(["10:50", "11:30", "12:05"]));
  test("are as bars equally far apart", () => expect(centres(BUCKETS).map(clock)).toEqual(["10:30", "11:30", "12:30"]));

  test.each([
    ["2026-03-01T10:00:00Z", 0],
    ["2026-03-01T10:59:59Z", 0],
    ["2026-03-01T11:00:00Z", 1],
    ["2026-03-01T12:00:00Z", 2],
    ["2026-03-01T13:00:00Z", 2],
  ])("at %s: %i", (at, index) => expect(bucketAt(BUCKETS, Date.parse(at))).toBe(index));
  test("that are not there are not found", () => expect(bucketAt([], 0)).toBeNull());
});

describe("columns", () => {
  test("have a gap where no check was available", () => {
    const steps = [{ ...NOTHING, total: statistics(1, 5) }, NOTHING].map((durations) => ({ from: "", to: "", durations }));
    expect(percentiles(steps).p50).toEqual([5, null]);
  });

  test("find values that a line would not show", () => {
    expect(lonely([1, null, 2, 3, null, 4])).toEqual([0, 5]);
    expect(lonely([])).toEqual([]);
  });

  test("on top of each other keep their gaps", () => {
    expect(stacked([[1, null, 0], [2, null, 5], [4, null, null]])).toEqual([[7, null, 5], [6, null, 5], [4, null, null]]);
  });
});

describe("phases", () => {
  test("that some checks do not have count for nothing there, and what is left over is shown", () => {
    const parts = shares({ ...NOTHING, dns: statistics(5, 100), connect: statistics(10, 20), total: statistics(10, 90) });
    expect(parts).toEqual({ dns: 50, connect: 20, tls: 0, first_byte: 0, transfer: 0, other: 20 });
  });
  test("of nothing are not known", () => expect(shares(NOTHING)).toBeNull());
});

test("steps with a failure are marked, and those of which little is known", () => {
  const step = (outcomes: Partial<Availability["outcomes"]>, coverage: number | null): Availability => ({
    from: "1970-01-01T00:00:00Z",
    to: "1970-01-01T00:00:01Z",
    uptime: null,
    coverage,
    outcomes: { up: 0, degraded: 0, down: 0, missed: 0, error: 0, ...outcomes },
    suspect: 0,
  });
  const marks = marksOf([step({ up: 1 }, 1), step({ up: 9, down: 1 }, 1), step({ missed: 2, up: 1 }, 0.3), step({}, null)]);
  expect(marks.map((one) => one.what)).toEqual(["down", "lost", "lost"]);
  const rest = { ...step({}, null), to: "1970-01-01T00:00:00.100Z" };
  expect(marksOf([rest, step({ up: 1 }, 1), { ...rest, ...step({ down: 1 }, 1) }]).map((one) => one.what)).toEqual(["down"]);
});

describe("what was counted", () => {
  test("has the colours of its class, and each its own", () => {
    const kinds = statusKinds({ 200: 5, 204: 1, 503: 2 }, [{ 200: 5 }, { 204: 1, 503: 2 }]);
    expect(kinds.map(({ name, count, column }) => [name, count, column])).toEqual([["200", 5, [5, 0]], ["503", 2, [0, 2]], ["204", 1, [0, 1]]]);
    expect(new Set(kinds.map((kind) => kind.colour)).size).toBe(3);
  });

  test("is put together where it is too much", () => {
    const whole = Object.fromEntries([..."abcdefgh"].map((letter, index) => [letter, 10 - index]));
    const kinds = failureKinds(whole, [whole]);
    expect(kinds).toHaveLength(6);
    expect(kinds.at(-1)).toMatchObject({ name: "3 others", count: 3 + 4 + 5, column: [12] });
  });
});

describe("axes", () => {
  test.each([
    [[0, 500_000, 1_000_000], ["0", "0.5 s", "1 s"]],
    [[0, 50_000], ["0", "50 ms"]],
    [[0, 250, 500], ["0", "0.25 ms", "0.5 ms"]],
  ])("%j are %j", (splits, words) => expect(durations(splits)).toEqual(words));

  test("count only whole things", () => expect(counts([0, 0.5, 1200])).toEqual(["0", "", "1,200"]));

  test("say a date where a day begins, and once", () => {
    const midnight = new Date(2026, 2, 1).getTime() / 1000;
    expect(instants([midnight - 3600, midnight, midnight + 3600], 3600)).toEqual(["23:00", "Mar 1", "01:00"]);
    expect(instants([midnight, midnight + 86_400], 86_400)).toEqual(["Mar 1", "Mar 2"]);
  });
});
