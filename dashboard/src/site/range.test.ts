import { describe, expect, test } from "vitest";

import { aside, closer, extentOf, formatRange, pauseOf, question, stepOf, wider, within, type Range } from "./range";
import { EVERYTHING, format, parse, type View } from "./view";

const at = (text: string) => Date.parse(`2026-03-01T${text}Z`);
const NOW = at("12:00:00");
const MORNING = { from: at("06:00:00"), to: at("08:00:00") };

describe("the address", () => {
  test("has the whole view", () => {
    const view: View = { range: MORNING, outcome: "down", region: "eu", check: "2026-03-01T07:00:00.5Z/eu" };
    const query = "from=2026-03-01T06:00:00Z&to=2026-03-01T08:00:00Z&outcome=down&region=eu&check=2026-03-01T07:00:00.5Z/eu";
    expect(format(view)).toBe(query);
    expect(parse(`?${query}`)).toEqual(view);
  });

  test("says nothing of what is as it is anyway", () => {
    expect(format(EVERYTHING)).toBe("");
    expect(parse("")).toEqual(EVERYTHING);
  });

  test.each(["?window=1y", "?from=7d&to=now", "?from=2026-03-01T08:00:00Z&to=2026-03-01T06:00:00Z", "?outcome=broken"])(
    "that makes no sense counts for nothing: %s",
    (query) => expect(parse(query)).toEqual(EVERYTHING),
  );

  test("follows the window of the overview", () => {
    expect(parse("?window=7d").range).toEqual({ last: "7d" });
    expect(formatRange({ last: "7d" })).toEqual([["window", "7d"]]);
  });
});

describe("a question", () => {
  test("about the last days moves on, and is asked again", () => {
    expect(question({ last: "7d" })).toBe("from=7d");
    expect(pauseOf({ last: "7d" })).toBeGreaterThan(pauseOf({ last: "1h" }) ?? Infinity);
  });

  test("about a fixed time is asked once", () => {
    expect(question(MORNING)).toBe("from=2026-03-01T06:00:00Z&to=2026-03-01T08:00:00Z");
    expect(pauseOf(MORNING)).toBeNull();
  });
});

describe("the step", () => {
  test.each([
    [{ last: "1h" }, "step=1m"],
    [{ last: "24h" }, "step=15m"],
    [{ last: "7d" }, "step=120m"],
    [{ last: "30d" }, "step=720m"],
    [{ last: "90d" }, /^step=1d&tz=./],
    [{ from: NOW - 400 * 86_400_000, to: NOW }, /^step=5d&tz=./],
  ] as [Range, string | RegExp][])("of %j", (range, expected) => expect(stepOf(range, 96)).toMatch(expected));
});

describe("moving", () => {
  test.each([
    ["closer", closer(MORNING, NOW), { from: at("06:30:00"), to: at("07:30:00") }],
    ["wider", wider(MORNING, NOW), { from: at("05:00:00"), to: at("09:00:00") }],
    ["earlier", aside(MORNING, NOW, -1), { from: at("05:00:00"), to: at("07:00:00") }],
    ["later", aside(MORNING, NOW, 1), { from: at("07:00:00"), to: at("09:00:00") }],
    ["later ends now", aside({ last: "1h" }, NOW, 1), extentOf({ last: "1h" }, NOW)],
    ["wider ends now", wider({ last: "1h" }, NOW), { from: at("10:00:00"), to: NOW }],
  ] as [string, Range, Range][])("%s", (_, moved, expected) => expect(moved).toEqual(expected));

  test("stops where there is too little to see", () => {
    const chosen = { from: at("06:59:00"), to: at("07:01:00") };
    expect(within(chosen, NOW)).toEqual({ from: at("06:55:00"), to: at("07:05:00") });
    expect(closer(within(chosen, NOW), NOW)).toEqual(within(chosen, NOW));
  });
});
