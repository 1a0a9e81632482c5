// Which page is shown: the address says it. Links within the dashboard change it without loading anew.

import { tick } from "svelte";

import { pageOf } from "./page";

/** What an entry of the history says that was made within a page. */
const WITHIN = { within: true };

function isWithin(): boolean {
  return (history.state as Partial<typeof WITHIN> | null)?.within === true;
}

class Route {
  path = $state(location.pathname);
  /** With its question mark, or empty. */
  query = $state(location.search);
  page = $derived(pageOf(this.path));
  /** Whether the same page showed something else before. */
  within = $state(isWithin());

  constructor() {
    addEventListener("popstate", () => this.#read());
    document.addEventListener("click", (event) => this.#follow(event));
  }

  /** Shows another page. */
  go(address: string): void {
    history.pushState(null, "", address);
    this.#read();
    void tick().then(() => scrollTo(0, 0));
  }

  /** Says what of the page is shown: going back does not undo it. */
  setQuery(query: string): void {
    history.replaceState(history.state, "", query === "" ? location.pathname : `?${query}`);
    this.query = location.search;
  }

  /** Shows something else of the page: going back shows what was there before. */
  pushQuery(query: string): void {
    history.pushState(WITHIN, "", query === "" ? location.pathname : `?${query}`);
    this.#read();
  }

  /** Goes back to what the page showed before; `false` where it showed nothing else. */
  back(): boolean {
    if (!this.within) return false;
    history.back();
    return true;
  }

  #read(): void {
    this.path = location.pathname;
    this.query = location.search;
    this.within = isWithin();
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
