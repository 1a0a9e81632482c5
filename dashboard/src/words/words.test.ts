import { describe, expect, test } from "vitest";

import type { RegionState, SiteOverview, SiteState, Warning } from "../api/schema";
import { duration, fineDuration, percent } from "./numbers";
import { ofKind, reason, where } from "./reason";
import { headline, headlineState, STATES } from "./states";
import { daysUntil, local, span, utc } from "./time";

const NOW = Date.parse("2026-03-01T12:00:00Z");

function counts(some: Partial<Record<SiteState, number>>): Record<SiteState, number> {
  return { down: 0, degraded: 0, stale: 0, unknown: 0, up: 0, disabled: 0, ...some };
}

function site(state: SiteState, ...regions: Partial<RegionState>[]): SiteOverview {
  return {
    site_id: 1,
    name: "shop",
    url: "https://shop.example/",
    tags: [],
    enabled: true,
    interval_ms: 60_000,
    state,
    outcomes: { up: 0, degraded: 0, down: 0, missed: 0, error: 0 },
    regions: regions.map((region) => ({ region: "eu", state, scheduled_at: "2026-03-01T11:59:00Z", outcome: "up", ...region })),
  };
}

describe("the headline", () => {
  test.each([
    [{}, "Nothing is monitored yet", "unknown"],
    [{ up: 3 }, "Everything is up", "up"],
    [{ up: 3, down: 1 }, "One site is down", "down"],
    [{ up: 3, down: 1200, stale: 4 }, "1,200 sites are down", "down"],
    [{ up: 3, degraded: 2, stale: 1 }, "2 sites are degraded", "degraded"],
    [{ up: 3, stale: 1 }, "Nothing is heard from one site", "stale"],
    [{ stale: 3, disabled: 1 }, "Nothing is heard from any site", "stale"],
    [{ unknown: 3 }, "Waiting for the first checks", "unknown"],
    [{ unknown: 3, up: 1 }, "All that is known is up", "up"],
    [{ disabled: 3 }, "Every site is disabled", "unknown"],
  ] as const)("of %j is %s", (some, words, state) => {
    expect(headline(counts(some))).toBe(words);
    expect(headlineState(counts(some))).toBe(state);
  });

  test("leaves no state out", () => {
    expect(Object.keys(counts({})).toSorted()).toEqual([...STATES].toSorted());
  });
});

describe("numbers", () => {
  test.each([
    [null, "–"],
    [undefined, "–"],
    [0, "0.0 %"],
    [1, "100 %"],
    [0.999999, "99.999 %"],
    [0.9951, "99.51 %"],
    [0.98765, "98.76 %"],
    [0.0449, "4.4 %"],
  ])("the share %s is %s", (share, words) => expect(percent(share)).toBe(words));

  test.each([
    [null, "–"],
    [300, "< 1 ms"],
    [4_210, "4.2 ms"],
    [123_456, "123 ms"],
    [1_523_000, "1.52 s"],
    [12_340_000, "12.3 s"],
  ])("%s µs are %s", (micros, words) => expect(duration(micros)).toBe(words));

  test("of a phase are told to the microsecond where they are short", () => {
    expect([0, 347, 4_210].map(fineDuration)).toEqual(["0 µs", "347 µs", "4.2 ms"]);
  });
});

describe("time", () => {
  test.each([
    [-5000, "now"],
    [999, "now"],
    [45_000, "45 s"],
    [130_000, "2 min 10 s"],
    [600_000, "10 min"],
    [3 * 3_600_000 + 60_000, "3 h 1 min"],
    [2 * 86_400_000 + 3_600_000, "2 d 1 h"],
    [40 * 86_400_000 + 3_600_000, "40 d"],
  ])("%s ms are %s", (millis, words) => expect(span(millis)).toBe(words));

  test("an instant in UTC says so", () => expect(utc(NOW)).toBe("2026-03-01 12:00:00 UTC"));

  test("an instant of another day has its date, also one to come", () => {
    const clock = local(NOW, NOW);
    expect(local(NOW + 3_600_000, NOW)).toHaveLength(clock.length);
    expect(local(NOW + 40 * 86_400_000, NOW)).toContain("Apr");
    expect(local(NOW - 40 * 86_400_000, NOW)).toContain("Jan");
    expect(local(NOW - 1000 * 86_400_000, NOW)).toContain("2023");
  });

  test("a certificate that has ended has no days left", () => {
    expect(daysUntil(NOW + 86_399_999, NOW)).toBe(0);
    expect(daysUntil(NOW - 1, NOW)).toBe(-1);
  });
});

describe("the reason", () => {
  test("is that of the region that is down", () => {
    const failure = { kind: "connection_refused", phase: "connect", detail: "nobody listens" } as const;
    const down = site("down", { state: "up" }, { region: "us", state: "down", outcome: "down", failure });
    expect(reason(down, NOW)).toEqual({ title: "The connection was refused", detail: "nobody listens" });
    expect(where(down)).toBe("us");
  });

  test("names the status that was not expected", () => {
    const failure = { kind: "unexpected_status", phase: "assertion", detail: "503 is not expected" } as const;
    const down = site("down", { outcome: "down", status_code: 503, failure });
    expect(reason(down, NOW).title).toBe("Answers with status 503");
  });

  test("of a warning is what the check warns of", () => {
    const outcome = "degraded";
    const told = (warnings: Warning[], more = {}) => reason(site("degraded", { outcome, warnings, ...more }), NOW);
    const soon = { cert_not_after: "2026-03-04T12:00:00Z", total_us: 1_500_000 };
    expect(told(["cert_expires_soon"], soon)).toEqual({ title: "The certificate ends in 3 days", detail: "" });
    expect(told(["slow_response"], soon)).toEqual({ title: "Slower than allowed", detail: "took 1.50 s" });
    expect(told(["slow_response", "cert_expires_soon"], soon).title).toBe("The certificate ends in 3 days; Slower than allowed");
    expect(told([]).title).toBe("Answers with a warning");
  });

  test("of silence is our own trouble, when that is known", () => {
    const failure = { kind: "not_running", phase: null, detail: "no checker had the site" } as const;
    expect(reason(site("stale", { outcome: "missed", failure }), NOW).title).toBe("No checker was running");
    expect(reason(site("stale", { outcome: "down" }), NOW).title).toBe("No verdict lately");
    expect(reason(site("unknown"), NOW).title).toBe("No check has told anything yet");
  });

  test("of a kind that came later is its name", () => expect(ofKind("moon_phase")).toBe("moon phase"));

  test("tells where only when there is more than one place", () => {
    expect(where(site("down", {}))).toBe("");
    expect(where(site("down", {}, { region: "us" }))).toBe("all 2 regions");
  });
});
