import { describe, expect, test } from "vitest";

import { barsOf } from "./bars";

const NOTHING = { dns: null, connect: null, tls: null, first_byte: null, transfer: null, total: null };

describe("the bars of a check", () => {
  test("are one after the other", () => {
    expect(barsOf({ ...NOTHING, dns: 10_000, connect: 20_000, first_byte: 70_000, total: 100_000 })).toEqual([
      { name: "DNS", micros: 10_000, begin: 0, length: 0.1 },
      { name: "Connect", micros: 20_000, begin: 0.1, length: 0.2 },
      { name: "First byte", micros: 70_000, begin: 0.3, length: 0.7 },
    ]);
  });

  test("begin with what was before the last hop", () => {
    expect(barsOf({ ...NOTHING, first_byte: 40, transfer: 10, total: 100 }).map(({ name, begin, length }) => [name, begin, length])).toEqual([
      ["Before", 0, 0.5],
      ["First byte", 0.5, 0.4],
      ["Transfer", 0.9, 0.1],
    ]);
  });

  test("of a check that never began are none", () => expect(barsOf(NOTHING)).toEqual([]));

  test("are never longer than the whole", () => {
    const bars = barsOf({ ...NOTHING, connect: 60, first_byte: 60, total: 100 });
    expect(bars.map(({ begin, length }) => begin + length)).toEqual([0.5, 1]);
  });
});
