import { describe, expect, test } from "vitest";

import { barsOf } from "./bars";

const NOTHING = { dns: null, connect: null, tls: null, first_byte: null, transfer: null, total: null };

function drawn(...told: Parameters<typeof barsOf>): [string, number, number, boolean][] {
  return barsOf(...told).map(({ name, begin, length, failed }) => [name, begin, length, failed]);
}

describe("the bars of a check", () => {
  test("are one after the other", () => {
    expect(drawn({ ...NOTHING, dns: 125, connect: 125, first_byte: 750, total: 1000 })).toEqual([
      ["DNS", 0, 0.125, false],
      ["Connect", 0.125, 0.125, false],
      ["First byte", 0.25, 0.75, false],
    ]);
  });

  test("begin with what was before the last hop", () => {
    expect(drawn({ ...NOTHING, first_byte: 250, transfer: 250, total: 1000 })).toEqual([
      ["Before", 0, 0.5, false],
      ["First byte", 0.5, 0.25, false],
      ["Transfer", 0.75, 0.25, false],
    ]);
  });

  test("end with the phase that failed, which took the rest", () => {
    expect(drawn({ ...NOTHING, connect: 250, total: 1000 }, "tls")).toEqual([
      ["Connect", 0, 0.25, false],
      ["TLS", 0.25, 0.75, true],
    ]);
    expect(drawn({ ...NOTHING, connect: 250, total: 1000 }, "send").at(-1)).toEqual(["First byte", 0.25, 0.75, true]);
  });

  test("tell apart what led to a hop that failed", () => {
    const hop = { url: "http://a.example/", status_code: 302, remote_addr: null, timings_us: { ...NOTHING, connect: 100, first_byte: 400 } };
    expect(drawn({ ...NOTHING, connect: 250, total: 1000 }, "first_byte", [hop])).toEqual([
      ["Before", 0, 0.5, false],
      ["Connect", 0.5, 0.25, false],
      ["First byte", 0.75, 0.25, true],
    ]);
  });

  test("have nothing failed where only a rule did not hold", () => {
    expect(drawn({ ...NOTHING, first_byte: 1000, total: 1000 }, "assertion")).toEqual([["First byte", 0, 1, false]]);
  });

  test("of a check that never began are none", () => expect(barsOf(NOTHING)).toEqual([]));

  test("are never longer than the whole", () => {
    expect(drawn({ ...NOTHING, connect: 60, first_byte: 60, total: 100 }).map(([, begin, length]) => begin + length)).toEqual([0.5, 1]);
  });
});
