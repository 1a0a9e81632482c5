// What has to be.

import { setTimeout } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";

/** How long something may take, and how often it is looked at, in milliseconds. */
const PATIENCE = 15_000;
const STEP = 20;

export function equal(is, expected, what) {
  if (!isDeepStrictEqual(is, expected)) {
    throw new Error(`${what}: ${JSON.stringify(is)} instead of ${JSON.stringify(expected)}`);
  }
}

/** The names of the sites in the table. */
function names(page) {
  return page.locator("[role=row][data-site]").evaluateAll((rows) => rows.map((row) => row.dataset.site));
}

/** Waits until the table shows these sites. */
export function shown(page, expected, what) {
  return eventually(() => names(page), expected, what);
}

/** Waits until this is what the address asks for. */
export function asked(page, expected, what) {
  return eventually(() => new URL(page.url()).search, expected, what);
}

/** Waits until a look finds what is expected: a page changes what it shows and its address one after the other. */
export async function eventually(look, expected, what) {
  const deadline = Date.now() + PATIENCE;
  let is = await look();
  while (!isDeepStrictEqual(is, expected) && Date.now() < deadline) {
    await setTimeout(STEP);
    is = await look();
  }
  equal(is, expected, what);
}
