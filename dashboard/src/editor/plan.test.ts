import { describe, expect, test } from "vitest";

import type { Import } from "../api/schema";
import { deed, headingOf, isNeeded, mistakesOf, partsOf } from "./plan";

function plan(counts: Partial<Import["counts"]>, more: Partial<Import> = {}): Import {
  const none = { created: 0, updated: 0, unchanged: 0, removed: 0 };
  return { applied: false, version: '"7"', created: [], updated: [], unchanged: [], removed: [], counts: { ...none, ...counts }, ...more };
}

describe("a plan", () => {
  test.each([
    [{}, "There are no sites in the file", false],
    [{ unchanged: 3 }, "Everything is as the file says already", false],
    [{ created: 1 }, "Would be: 1 site added", true],
    [{ created: 1200, updated: 1, unchanged: 9 }, "Would be: 1,200 sites added, 1 site changed", true],
    [{ removed: 2 }, "Would be: 2 sites removed", true],
  ])("of %j is: %s", (counts, words, needed) => {
    expect(deed(plan(counts))).toBe(words);
    expect(isNeeded(plan(counts))).toBe(needed);
  });

  test("that is done says so", () => expect(deed(plan({ created: 2 }, { applied: true }))).toBe("2 sites added"));

  test("has the parts in which there is anything, what is changed before what is not", () => {
    const updated = [{ name: "b", fields: ["interval"] }];
    expect(partsOf(plan({ unchanged: 1, updated: 1001 }, { unchanged: ["a"], updated }))).toEqual([
      { kind: "updated", title: "Changed", all: 1001, sites: updated },
      { kind: "unchanged", title: "As they are", all: 1, sites: [{ name: "a", fields: [] }] },
    ]);
  });
});

describe("a mistake", () => {
  const site = { index: 2, name: "shop" };

  test("has its site, its field and its line", () => {
    const errors = [
      { site, field: "interval", message: "no", line: 4, column: 15 },
      { site: { index: 2, name: null }, field: "colour", message: "unknown field" },
    ];
    expect(mistakesOf(errors)).toEqual([
      { line: 4, where: "shop, Interval:", message: "no" },
      { line: null, where: "Site 3, colour:", message: "unknown field" },
    ]);
    expect(headingOf("2 fields of sites are wrong", errors)).toBe("2 fields of sites are wrong");
  });

  test("may be that it is no site file at all", () => {
    const errors = [{ field: "body", message: "unexpected end", line: 1, column: 1 }];
    expect(mistakesOf(errors)).toEqual([{ line: 1, where: "", message: "unexpected end" }]);
    expect(headingOf("body: line 1, column 1: unexpected end", errors)).toBe("This is no site file. Nothing was changed.");
  });

  test("of a body that a site sends is not one of the file", () => {
    const errors = [{ site, field: "body", message: "expected text" }];
    expect(headingOf("1 field of a site is wrong", errors)).toBe("1 field of a site is wrong");
  });
});
