// Which page is shown: the address says it. Links within the dashboard change it without loading anew.

import { tick } from "svelte";

import { pageOf } from "./page";

class Route {
  path = $state(location.pathname);
  /** With its question mark, or empty. */
  query = $state(location.search);
  page = $derived(pageOf(this.path));

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
    history.replaceState(null, "", query === "" ? location.pathname : `?${query}`);
    this.query = location.search;
  }

  #read(): void {
    this.path = location.pathname;
    this.query = location.search;
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
