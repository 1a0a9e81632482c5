// What has to be.

import { isDeepStrictEqual } from "node:util";

export function equal(is, expected, what) {
  if (!isDeepStrictEqual(is, expected)) {
    throw new Error(`${what}: ${JSON.stringify(is)} instead of ${JSON.stringify(expected)}`);
  }
}

/** The names of the sites in the table. */
export function names(page) {
  return page.locator("[role=row][data-site]").evaluateAll((rows) => rows.map((row) => row.dataset.site));
}
