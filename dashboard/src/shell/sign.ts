// What a tab says of a page that is not looked at: its title, and its picture.

import type { SiteState } from "../api/schema";
import { TROUBLES } from "../words/states";
import { SHAPES } from "./shapes";

/** A tab is dark or light whatever the page is: these can be seen on both. */
const COLOURS: Partial<Record<SiteState, string>> = { down: "#e5483a", degraded: "#d98b12", stale: "#8f6fe8" };

const icon = document.querySelector<HTMLLinkElement>("link[rel=icon]");
const usual = icon?.getAttribute("href") ?? "";

/** Says what a page is about, and its state where somebody has to look at it. */
export function sign(title: string, state: SiteState | null = null): void {
  document.title = title === "" ? "Aiven Monitor" : `${title} · Aiven Monitor`;
  const picture = state !== null && TROUBLES.includes(state) ? pictureOf(state) : usual;
  if (icon?.getAttribute("href") !== picture) icon?.setAttribute("href", picture);
}

function pictureOf(state: SiteState): string {
  const shape = `<path fill="${COLOURS[state]}" fill-rule="evenodd" d="${SHAPES[state]}"/>`;
  return `data:image/svg+xml,${encodeURIComponent(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 20 20">${shape}</svg>`)}`;
}
