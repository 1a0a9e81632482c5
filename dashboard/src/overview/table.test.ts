import { describe, expect, test } from "vitest";

import type { SiteOverview, SiteState } from "../api/schema";
import { address, filter, rowsOf, sort, tagsOf } from "./rows";
import { EVERYTHING, format, isFiltered, parse, unfiltered, type Sort, type View } from "./view";
import { visible } from "./visible";

function site(name: string, state: SiteState, more: Partial<SiteOverview> = {}): SiteOverview {
  return {
    site_id: name.length,
    name,
    url: `https://${name}.example/`,
    tags: [],
    enabled: true,
    interval_ms: 60_000,
    state,
    outcomes: { up: 0, degraded: 0, down: 0, missed: 0, error: 0 },
    regions: [],
    ...more,
  };
}

const names = (sites: SiteOverview[], by: Sort, descending = false) => sort(rowsOf(sites), by, descending).map((row) => row.site.name);

describe("the order", () => {
  test("begins with what matters most, the newest first", () => {
    const sites = [
      site("well", "up", { since: "2026-03-01T12:00:00Z" }),
      site("old", "down", { since: "2026-02-01T12:00:00Z" }),
      site("new", "down", { since: "2026-03-01T12:00:00Z" }),
      site("mute", "stale"),
      site("off", "disabled"),
    ];
    expect(names(sites, "attention")).toEqual(["new", "old", "mute", "well", "off"]);
  });

  test("has numbers in names as numbers", () => {
    const sites = [site("shop 10", "up"), site("shop 9", "up"), site("Auth", "up")];
    expect(names(sites, "name")).toEqual(["Auth", "shop 9", "shop 10"]);
    expect(names(sites, "name", true)).toEqual(["shop 10", "shop 9", "Auth"]);
  });

  test("follows names that have changed", () => {
    const named = (...all: string[]) => names(all.map((name) => site(name, "up")), "name");
    expect(named("b", "a")).toEqual(["a", "b"]);
    expect(named("b", "c")).toEqual(["b", "c"]);
    expect(named("c", "b")).toEqual(["b", "c"]);
    expect(named("shop", "Shop", "a")).toEqual(["a", "shop", "Shop"]);
  });

  test("ends with what is not known, both ways", () => {
    const sites = [site("none", "unknown"), site("half", "up", { uptime: 0.5 }), site("all", "up", { uptime: 1 })];
    expect(names(sites, "uptime")).toEqual(["half", "all", "none"]);
    expect(names(sites, "uptime", true)).toEqual(["all", "half", "none"]);
  });

  test("of certificates goes by the soonest of all regions", () => {
    const region = { state: "up", outcome: "up", scheduled_at: "2026-03-01T12:00:00Z" } as const;
    const regions = (...ends: string[]) => ends.map((cert_not_after, index) => ({ ...region, region: `r${index}`, cert_not_after }));
    const sites = [
      site("later", "up", { regions: regions("2026-05-01T00:00:00Z") }),
      site("soon", "up", { regions: regions("2026-06-01T00:00:00Z", "2026-04-01T00:00:00Z") }),
    ];
    expect(names(sites, "certificate")).toEqual(["soon", "later"]);
  });
});

describe("filters", () => {
  const rows = rowsOf([
    site("shop", "down", { tags: ["prod", "eu"] }),
    site("blog", "up", { tags: ["prod"], regions: [{ region: "us", state: "up", outcome: "up", scheduled_at: "2026-03-01T12:00:00Z" }] }),
  ]);
  const found = (some: Partial<View>) => filter(rows, { ...EVERYTHING, ...some }).map((row) => row.site.name);

  test.each([
    [{}, ["shop", "blog"]],
    [{ search: "  SHOP " }, ["shop"]],
    [{ search: "prod example" }, ["shop", "blog"]],
    [{ search: "shop blog" }, []],
    [{ states: ["up", "stale"] satisfies SiteState[] }, ["blog"]],
    [{ tag: "eu" }, ["shop"]],
    [{ region: "us" }, ["blog"]],
    [{ region: "us", tag: "eu" }, []],
  ] as [Partial<View>, string[]][])("%j finds %j", (some, expected) => expect(found(some)).toEqual(expected));

  test("offer the tags of most sites first", () => {
    expect(tagsOf(rows.map((row) => row.site))).toEqual(["prod", "eu"]);
  });
});

describe("the address", () => {
  test("has the whole view", () => {
    const view: View = { window: "7d", search: "a&b", states: ["down", "up"], tag: "prod", region: "eu", sort: "p95", descending: true };
    expect(format(view)).toBe("window=7d&q=a%26b&state=down,up&tag=prod&region=eu&sort=p95&order=desc");
    expect(parse(`?${format(view)}`)).toEqual(view);
  });

  test("says nothing of what is as it is anyway", () => {
    expect(format(EVERYTHING)).toBe("");
    expect(parse("")).toEqual(EVERYTHING);
  });

  test("that makes no sense counts for nothing", () => {
    expect(parse("?window=1y&state=broken,down&sort=colour&order=up")).toEqual({ ...EVERYTHING, states: ["down"] });
  });

  test("without filters keeps window and order", () => {
    const view: View = { ...EVERYTHING, window: "90d", sort: "name", descending: true, tag: "prod" };
    expect(isFiltered(view)).toBe(true);
    expect(unfiltered(view)).toEqual({ ...view, tag: "" });
    expect(isFiltered(unfiltered(view))).toBe(false);
  });
});

test("the page of a site looks back as far", () => {
  expect(address(7, "24h")).toBe("/sites/7");
  expect(address(7, "90d")).toBe("/sites/7?window=90d");
});

describe("the rows that are drawn", () => {
  test.each([
    [10, 0, { first: 0, end: 10 }],
    [10_000, 600, { first: 0, end: 14 }],
    [10_000, -52_000, { first: 992, end: 1026 }],
    [10_000, -519_000, { first: 9972, end: 10_000 }],
    [0, 0, { first: 0, end: 0 }],
  ])("of %i at %i px", (rows, top, range) => expect(visible(rows, 52, top, 900)).toEqual(range));
});
