// New answers of the overview: how long each keeps the main thread busy.

import { setTimeout } from "node:timers/promises";

const OVERVIEW = /\/api\/v1\/overview\?/;
/** How many to look at. */
const ANSWERS = 2;
/** After an answer has come, the page has done with it. */
const DONE_MS = 700;

export async function updates(page, devtools) {
  const found = [];
  while (found.length < ANSWERS) {
    await page.waitForRequest(OVERVIEW);
    const begin = await page.evaluate(() => performance.now());
    const before = await busy(devtools);
    const response = await page.waitForResponse(OVERVIEW);
    await response.finished();
    await setTimeout(DONE_MS);
    const after = await busy(devtools);
    // An answer that says nothing new is none to update for.
    if (response.status() !== 200) continue;
    const longest = await page.evaluate((begin) => globalThis.seen.tasks.filter((task) => task.begin >= begin).reduce((most, task) => Math.max(most, task.end - task.begin), 0), begin);
    found.push({ busy_ms: after - before, longest_ms: longest });
  }
  return found;
}

/** Milliseconds in which the main thread has had something to do. */
async function busy(devtools) {
  const { metrics } = await devtools.send("Performance.getMetrics");
  return metrics.find((metric) => metric.name === "TaskDuration").value * 1000;
}
