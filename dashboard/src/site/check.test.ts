import { describe, expect, test } from "vitest";

import type { Availability, Failure, StoredCheck, TlsFacts } from "../api/schema";
import { look } from "../shell/look";
import { merged } from "../shell/merged";
import { certificatesOf, factsOfCertificate } from "./certificate";
import { checkKey, checkQuestion, inShort } from "./check";
import { figures, LEAST, moved } from "./days";

describe("a check in the address", () => {
  const check = { scheduled_at: "2026-03-01T12:00:00.082Z", region: "eu-north" };
  test("is asked for by its slot and region", () => {
    const words = new URLSearchParams(checkQuestion(checkKey(check)) ?? "");
    expect(Object.fromEntries(words)).toEqual({ from: check.scheduled_at, to: "2026-03-01T12:00:00.083Z", region: "eu-north", limit: "1" });
  });
  test.each(["", "now/eu", "2026-03-01T12:00:00Z"])("that is none is not asked for: %j", (key) => expect(checkQuestion(key)).toBeNull());
});

test("a check says in short why it is not simply up", () => {
  const check = { failure: null, status_code: 200, warnings: ["slow_response"] } as unknown as StoredCheck;
  expect(inShort(check)).toBe("Slower than allowed");
  expect(inShort({ ...check, warnings: [], status_code: 503, failure: { kind: "unexpected_status", detail: "" } as Failure })).toBe("Answers with status 503");
  expect(inShort({ ...check, warnings: [] })).toBe("");
});

describe("a list that grows at its begin", () => {
  const same = (one: number) => String(one);
  test("keeps what was asked for beyond its first page", () => expect(merged([5, 4, 3], [4, 3, 2, 1], same)).toEqual([5, 4, 3, 2, 1]));
  test("does not bridge a gap that it has not seen", () => expect(merged([9, 8], [4, 3], same)).toBeNull());
  test("may begin empty", () => expect(merged([1], [], same)).toEqual([1]));
});

describe("a day", () => {
  const day = (some: Partial<Availability["outcomes"]>, coverage: number | null = 1): Availability => ({
    from: "",
    to: "",
    uptime: 0.5,
    coverage,
    suspect: 0,
    outcomes: { up: 0, degraded: 0, down: 0, missed: 0, error: 0, ...some },
  });

  test.each([
    [day({ up: 10 }), { down: 0, degraded: 0, up: 100 }],
    [day({ up: 9999, down: 1 }), { down: 14, degraded: 0, up: 86 }],
    [day({ up: 50, down: 50 }), { down: 50, degraded: 0, up: 50 }],
    [day({ down: 9 }), { down: 100, degraded: 0, up: 0 }],
    [day({ down: 9999, degraded: 1 }), { down: 99.99, degraded: 0.01, up: 0 }],
    [day({ up: 10, missed: 10 }, 0.5), { down: 0, degraded: 0, up: 50 }],
    [day({ missed: 10 }, 0), { down: 0, degraded: 0, up: 0 }],
    [day({}, null), { down: 0, degraded: 0, up: 0 }],
  ])("%# looks as it was", (one, parts) => {
    const { down, degraded, up } = look(one.outcomes, LEAST);
    expect(down).toBeCloseTo(parts.down);
    expect(degraded).toBeCloseTo(parts.degraded);
    expect(up).toBeCloseTo(parts.up);
  });

  test("in words has only what there was", () => {
    expect(figures(day({ up: 1, down: 1, error: 1 }))).toBe("uptime 50.00 %, coverage 100 %, 3 checks, 1 down, 1 not known");
    expect(figures(day({}, null))).toBe("no checks, nothing is known");
  });

  test.each([
    [5, "ArrowLeft", 4, false],
    [5, "ArrowDown", 12, false],
    [5, "ArrowRight", 12, true],
    [5, "ArrowDown", 6, true],
    [0, "ArrowUp", 0, false],
    [5, "End", 89, false],
    [5, "Home", 0, true],
    [5, "Tab", null, false],
  ] as const)("from %i by %s to %s (in weeks: %s)", (index, key, next, inWeeks) => expect(moved(index, key, 90, inWeeks)).toBe(next));
});

describe("certificates", () => {
  const region = (name: string, cert_not_after: string | null) => ({ region: name, state: "up", outcome: "up", scheduled_at: "", cert_not_after }) as const;
  test("are told apart by their end, the soonest first", () => {
    const found = certificatesOf([region("eu", "2026-05-01T00:00:00Z"), region("us", "2026-04-01T00:00:00Z"), region("ap", "2026-05-01T00:00:00Z"), region("plain", null)]);
    expect(found.map((one) => one.where)).toEqual([["us"], ["eu", "ap"]]);
  });

  test("have names only when they are the one that was stored", () => {
    const tls = { not_after: "2026-05-01T00:00:00.000Z", subject: "CN=shop.example", issuer: null } as TlsFacts;
    expect(factsOfCertificate(tls, Date.parse("2026-05-01T00:00:00Z"))).toEqual([["Subject", "CN=shop.example"]]);
    expect(factsOfCertificate(tls, Date.parse("2026-06-01T00:00:00Z"))).toEqual([]);
  });
});
