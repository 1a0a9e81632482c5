// A search, key by key.

import { setTimeout } from "node:timers/promises";

/** What some sites have in their names, however many there are. */
const WORD = "-10";
/** Between two keys. */
const PAUSE_MS = 200;

export async function search(page) {
  await page.getByRole("searchbox").focus();
  for (const [index, key] of [...WORD].entries()) {
    await page.keyboard.press(key);
    await page.waitForFunction((keys) => globalThis.seen.searches.length === keys, index + 1);
    await setTimeout(PAUSE_MS);
  }
  const names = await page.locator("[role=row][data-site]").evaluateAll((rows) => rows.map((row) => row.dataset.site));
  if (names.length === 0 || !names.every((name) => name.includes(WORD))) throw new Error(`${WORD} finds ${JSON.stringify(names)}`);
  const took = await page.evaluate(() => globalThis.seen.searches);
  await page.getByRole("searchbox").fill("");
  return took;
}
