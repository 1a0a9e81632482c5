// Whether everybody can read a page.

import { createRequire } from "node:module";

import { equal } from "./expect.mjs";

/** The script that looks, which a page has to run first. */
export const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

/** A desk and a phone. */
export const SCREENS = [
  { width: 1440, height: 900 },
  { width: 390, height: 844 },
];

const SERIOUS = ["serious", "critical"];

/** Ends with an error when axe finds something that keeps somebody from reading. */
export async function find(page, where) {
  const { violations } = await page.evaluate("axe.run()");
  const serious = violations.filter((one) => SERIOUS.includes(one.impact));
  equal(serious.map(({ id, nodes }) => [id, nodes.map((node) => node.html)]), [], `what axe finds (${where})`);
}
