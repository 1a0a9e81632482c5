// The rows of the table: which sites, in which order.

import type { RegionState, SiteOverview } from "../api/schema";
import { rank } from "../words/states";
import type { Window } from "../words/windows";
import { EVERYTHING, type Sort, type View } from "./view";

const NAMES = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

/** A site, with what rows are sorted by. */
export interface Row {
  site: SiteOverview;
  /** Where its name comes among all. */
  place: number;
  /** Small letters, in which is searched. */
  text: string;
  since: number | null;
  status: number | null;
  certificate: number | null;
}

/** The page of a site, over the same window. */
export function address(site: number, window: Window): string {
  return window === EVERYTHING.window ? `/sites/${site}` : `/sites/${site}?window=${window}`;
}

export function rowsOf(sites: readonly SiteOverview[]): Row[] {
  const places = placesOf(sites.map((site) => site.name));
  return sites.map((site, index) => ({
    site,
    place: places[index] ?? 0,
    text: `${site.name}\n${site.url}\n${site.tags.join("\n")}`.toLowerCase(),
    since: site.since ? Date.parse(site.since) : null,
    status: statusOf(site),
    certificate: certificateOf(site.regions),
  }));
}

let last = { names: [] as readonly string[], places: [] as readonly number[] };

/** To compare names as people do takes long, and they hardly ever change: it is done once for all. */
function placesOf(names: readonly string[]): readonly number[] {
  if (names.length === last.names.length && names.every((name, index) => name === last.names[index])) return last.places;
  const places = new Array<number>(names.length).fill(0);
  const order = [...names.keys()].toSorted((one, two) => NAMES.compare(names[one] ?? "", names[two] ?? ""));
  let place = 0;
  for (const [index, at] of order.entries()) {
    if (index > 0 && NAMES.compare(names[order[index - 1] ?? 0] ?? "", names[at] ?? "") !== 0) place += 1;
    places[at] = place;
  }
  last = { names, places };
  return places;
}

/** The status code of the region that is the reason for the state. */
function statusOf(site: SiteOverview): number | null {
  const reason = site.regions.find((region) => region.state === site.state);
  return (reason ?? site.regions[0])?.status_code ?? null;
}

/** The soonest end of a certificate. */
function certificateOf(regions: readonly RegionState[]): number | null {
  const ends = regions.flatMap((region) => (region.cert_not_after ? [Date.parse(region.cert_not_after)] : []));
  return ends.length > 0 ? Math.min(...ends) : null;
}

/** The rows that a view asks for. Every word that is searched for has to be there. */
export function filter(rows: readonly Row[], view: View): Row[] {
  const words = view.search.toLowerCase().split(/\s+/).filter(Boolean);
  const { states, tag, region } = view;
  return rows.filter(({ site, text }) => {
    if (states.length > 0 && !states.includes(site.state)) return false;
    if (tag !== "" && !site.tags.includes(tag)) return false;
    if (region !== "" && !site.regions.some((one) => one.region === region)) return false;
    return words.every((word) => text.includes(word));
  });
}

type Order = (one: Row, two: Row) => number;

const ORDERS: Record<Sort, Order> = {
  attention: (one, two) => rank(one.site.state) - rank(two.site.state) || byNumber(two.since, one.since),
  name: () => 0,
  uptime: (one, two) => byNumber(one.site.uptime, two.site.uptime),
  p95: (one, two) => byNumber(one.site.p95_us, two.site.p95_us),
  status: (one, two) => byNumber(one.status, two.status),
  certificate: (one, two) => byNumber(one.certificate, two.certificate),
};

const VALUES: Partial<Record<Sort, (row: Row) => number | null | undefined>> = {
  uptime: (row) => row.site.uptime,
  p95: (row) => row.site.p95_us,
  status: (row) => row.status,
  certificate: (row) => row.certificate,
};

/** Sorted; equal ones by name. What is not known comes last, whichever way it goes. */
export function sort(rows: readonly Row[], by: Sort, descending: boolean): Row[] {
  const way = descending ? -1 : 1;
  const order = ORDERS[by];
  const value = VALUES[by];
  return rows.toSorted((one, two) => {
    const absent = value ? Number(value(one) == null) - Number(value(two) == null) : 0;
    if (absent !== 0) return absent;
    const names = one.place - two.place;
    return by === "name" ? way * names : way * order(one, two) || names;
  });
}

function byNumber(one: number | null | undefined, two: number | null | undefined): number {
  return (one ?? -Infinity) === (two ?? -Infinity) ? 0 : (one ?? -Infinity) - (two ?? -Infinity);
}

/** All tags, those of most sites first. */
export function tagsOf(sites: readonly SiteOverview[]): string[] {
  const counts = new Map<string, number>();
  for (const tag of sites.flatMap((site) => site.tags)) counts.set(tag, (counts.get(tag) ?? 0) + 1);
  return [...counts].toSorted((one, two) => two[1] - one[1] || NAMES.compare(one[0], two[0])).map(([tag]) => tag);
}
