// One visit to the overview in a browser that has never been there: node measure.mjs URL SECONDS, with the
// browser's path in BROWSER. How long everything took is one line of JSON; SECONDS are scrolled.

import { chromium } from "playwright-core";

import { load } from "./measure/load.mjs";
import { scroll } from "./measure/scroll.mjs";
import { search } from "./measure/search.mjs";
import { updates } from "./measure/updates.mjs";
import { watch } from "./measure/watch.mjs";

/** Longest wait for anything: far more than it takes. */
const PATIENCE_MS = 60_000;
/** A desk's screen. */
const SCREEN = { width: 1440, height: 900 };

const [url, seconds] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath: process.env.BROWSER, args: ["--no-sandbox"] });
try {
  const page = await browser.newPage({ viewport: SCREEN });
  page.setDefaultTimeout(PATIENCE_MS);
  await page.addInitScript(watch);
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("Network.enable");
  await devtools.send("Performance.enable");
  const visit = {
    ...(await load(page, devtools, url)),
    updates: await updates(page, devtools),
    searches_ms: await search(page),
    ...(await scroll(page, devtools, Number(seconds))),
    heap_bytes: await heap(devtools),
  };
  console.log(JSON.stringify(visit));
} finally {
  await browser.close();
}

/** What scripts hold, without what is only waiting to be thrown away. */
async function heap(devtools) {
  await devtools.send("HeapProfiler.collectGarbage");
  const { metrics } = await devtools.send("Performance.getMetrics");
  return metrics.find((metric) => metric.name === "JSHeapUsedSize").value;
}
