// Which page is shown: the address says it. Links within the dashboard change it without loading anew.

import { tick } from "svelte";

import { pageOf } from "./page";

/** What an entry of the history of this tab says; the first one says nothing. */
interface Entry {
  /** Where in the history it is. */
  index: number;
  /** Whether the same page showed something else before. */
  within: boolean;
}

function entry(state: unknown): Entry {
  const { index = 0, within = false } = (state ?? {}) as Partial<Entry>;
  return { index, within };
}

class Route {
  path = $state(location.pathname);
  /** With its question mark, or empty. */
  query = $state(location.search);
  page = $derived(pageOf(this.path));
  /** Whether the same page showed something else before. */
  within = $state(entry(history.state).within);

  /** Whether the page may be left: a page that would lose something asks. */
  guard: (() => boolean) | null = null;

  #index = entry(history.state).index;

  constructor() {
    addEventListener("popstate", (event) => this.#step(entry(event.state).index));
    document.addEventListener("click", (event) => this.#follow(event));
  }

  /** Shows another page. */
  go(address: string): void {
    if (!this.mayLeave()) return;
    this.#push(address, false);
    void tick().then(() => scrollTo(0, 0));
  }

  /** Says what of the page is shown: going back does not undo it. */
  setQuery(query: string): void {
    history.replaceState(history.state, "", query === "" ? location.pathname : `?${query}`);
    this.query = location.search;
  }

  /** Shows something else of the page: going back shows what was there before. */
  pushQuery(query: string): void {
    this.#push(query === "" ? location.pathname : `?${query}`, true);
  }

  /** Goes back to what the page showed before; `false` where it showed nothing else. */
  back(): boolean {
    if (!this.within) return false;
    history.back();
    return true;
  }

  mayLeave(): boolean {
    return this.guard === null || this.guard();
  }

  /** Back or forth. The browser has gone already: whoever stays is taken back to where they were. */
  #step(index: number): void {
    const way = this.#index - index;
    const hasMoved = location.pathname !== this.path;
    if (hasMoved && way !== 0 && !this.mayLeave()) {
      history.go(way);
      return;
    }
    this.#index = index;
    this.#read();
  }

  #push(address: string, within: boolean): void {
    this.#index += 1;
    history.pushState({ index: this.#index, within } satisfies Entry, "", address);
    this.#read();
  }

  #read(): void {
    this.path = location.pathname;
    this.query = location.search;
    this.within = entry(history.state).within;
  }

  /** What is not a plain click on a link within the dashboard is the browser's. */
  #follow(event: MouseEvent): void {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = event.target instanceof Element ? event.target.closest("a") : null;
    if (link === null || link.target !== "" || link.hasAttribute("download") || link.origin !== location.origin) return;
    if (pageOf(link.pathname).name === "nowhere") return;
    event.preventDefault();
    this.go(link.pathname + link.search);
  }
}

export const route = new Route();
