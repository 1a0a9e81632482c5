// The first load: what is sent, and when the page is there.

/** So long without a long task, and the page is interactive since the last one. */
const QUIET_MS = 500;
const LOOK_MS = 50;
/** So much of what a page says tells what is wrong with it. */
const MOST_WORDS = 300;

const KINDS = { Document: "document", Script: "script", Stylesheet: "style", Font: "font", Fetch: "answers", XHR: "answers" };

export async function load(page, devtools, url) {
  const sent = { document: 0, script: 0, style: 0, font: 0, answers: 0, other: 0 };
  const kinds = new Map();
  devtools.on("Network.responseReceived", ({ requestId, type }) => kinds.set(requestId, KINDS[type] ?? "other"));
  devtools.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => (sent[kinds.get(requestId) ?? "other"] += encodedDataLength));
  await page.goto(url, { waitUntil: "commit" });
  await page.waitForFunction(isQuiet, QUIET_MS, { polling: LOOK_MS }).catch(async (error) => {
    const { rows, tasks } = await page.evaluate(() => globalThis.seen);
    const words = await page.locator("main").innerText();
    throw new Error(`the page is not there: first rows at ${rows} ms, ${tasks.length} long tasks; it says ${words.slice(0, MOST_WORDS)}`, { cause: error });
  });
  const told = await page.evaluate(() => {
    const { rows, tasks } = globalThis.seen;
    return {
      first_rows_ms: rows,
      interactive_ms: Math.max(rows, ...tasks.map((task) => task.end)),
      long_tasks_ms: tasks.reduce((sum, task) => sum + task.end - task.begin, 0),
    };
  });
  return { ...told, sent: { ...sent } };
}

function isQuiet(quiet) {
  const { rows, tasks } = globalThis.seen;
  return rows !== null && performance.now() - Math.max(rows, tasks.at(-1)?.end ?? 0) >= quiet;
}
