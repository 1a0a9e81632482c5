// One scenario in a real browser: node run.mjs SCENARIO URL, with the browser's path in BROWSER.
//
// What it has seen, it prints a line of; whoever runs it changes the world then. It ends with an error
// when something is not as it should be, also when the browser complains of anything.

import { chromium } from "playwright-core";

import { edit } from "./edit.mjs";
import { imports } from "./import.mjs";
import { looks } from "./looks.mjs";
import { live } from "./live.mjs";
import { login } from "./login.mjs";
import { site } from "./site.mjs";
import { status } from "./status.mjs";

const SCENARIOS = { edit, imports, live, login, looks, site, status };

/** Longest wait for anything: far more than it takes. */
const PATIENCE_MS = 60_000;

const [name, url] = process.argv.slice(2);
const scenario = SCENARIOS[name];
const browser = await chromium.launch({ executablePath: process.env.BROWSER, args: ["--no-sandbox"] });
try {
  const page = await browser.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  const complaints = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    // That something is refused, or the network away, is what a scenario may be about.
    const meant = /status of (401|403|409|412|422) |ERR_INTERNET_DISCONNECTED/.test(message.text());
    if (message.type() === "error" && !meant) complaints.push(message.text());
  });
  await scenario(page, url, (seen) => console.log(seen));
  if (complaints.length > 0) throw new Error(`the browser complains: ${complaints.join("\n")}`);
} finally {
  await browser.close();
}
