// What is shown of all sites. It is in the address, so that a view can be sent to somebody.

import type { SiteState } from "../api/schema";
import { isState, STATES } from "../words/states";
import { WINDOWS, type Window } from "../words/windows";

export const SORTS = ["attention", "name", "uptime", "p95", "status", "certificate"] as const;
export type Sort = (typeof SORTS)[number];

export interface View {
  window: Window;
  search: string;
  /** No states are all states. */
  states: SiteState[];
  tag: string;
  region: string;
  sort: Sort;
  descending: boolean;
}

export const EVERYTHING: Readonly<View> = {
  window: "24h",
  search: "",
  states: [],
  tag: "",
  region: "",
  sort: "attention",
  descending: false,
};

/** What an address asks for; what it says wrongly counts as not said. */
export function parse(query: string): View {
  const words = new URLSearchParams(query);
  const states = (words.get("state") ?? "").split(",").filter(isState);
  return {
    window: WINDOWS.find((window) => window === words.get("window")) ?? EVERYTHING.window,
    search: words.get("q") ?? "",
    states: STATES.filter((state) => states.includes(state)),
    tag: words.get("tag") ?? "",
    region: words.get("region") ?? "",
    sort: SORTS.find((sort) => sort === words.get("sort")) ?? EVERYTHING.sort,
    descending: words.get("order") === "desc",
  };
}

/** The query of an address: only what is not as it is anyway. */
export function format(view: View): string {
  const words = new URLSearchParams();
  if (view.window !== EVERYTHING.window) words.set("window", view.window);
  if (view.search !== "") words.set("q", view.search);
  if (view.states.length > 0) words.set("state", view.states.join(","));
  if (view.tag !== "") words.set("tag", view.tag);
  if (view.region !== "") words.set("region", view.region);
  if (view.sort !== EVERYTHING.sort) words.set("sort", view.sort);
  if (view.descending) words.set("order", "desc");
  return words.toString().replaceAll("%2C", ",");
}

export function isFiltered(view: View): boolean {
  return view.search !== "" || view.states.length > 0 || view.tag !== "" || view.region !== "";
}

/** The view without filters, over the same window in the same order. */
export function unfiltered(view: View): View {
  const { window, sort, descending } = view;
  return { ...EVERYTHING, window, sort, descending };
}
