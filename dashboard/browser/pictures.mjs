// Pictures of every page, for the documentation: node pictures.mjs [PICTURE…], with the address of a PostgreSQL on which
// a database may be made in DATABASE_URL, and the browser's path in BROWSER.

import { fileURLToPath } from "node:url";

import { chromium } from "playwright-core";

import { withFleet } from "./pictures/fleet.mjs";

const IMAGES = fileURLToPath(new URL("../../docs/images", import.meta.url));
const PROGRAMS = process.env["PROGRAMS"] ?? fileURLToPath(new URL("../../target/debug", import.meta.url));
const DESK = { viewport: { width: 1440, height: 900 } };
const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };
/** What is looked at on the way. */
const ON_PHONES = ["overview", "site", "outage", "wall", "status"];
const MINUTE = 60_000;

/** How long what moves takes to stand still. */
const REST_MS = 1500;

const SITES = `sites:
  - name: checkout
    url: https://checkout.example.com/health
    interval: 30s
    max_response_time: 1s
    retries: 2
    tags: [public, shop]
  - name: blog
    url: https://blog.example.com/
    max_response_time: 1s
    retries: 1
    tags: [public, web]
  - name: newsletter
    url: https://news.example.com/
    content_regex: Subscribe
    tags: [web]
  - name: gift cards
    url: https://gifts.example.com/health
    interval: 30s
    tags: [shop]
`;

/** Each shows something on a page that is open: what is shown then is the picture. */
const PICTURES = {
  overview: async (page) => {
    await page.goto("/");
    await page.locator("[role=row][data-site] path").first().waitFor();
  },
  site: async (page, idOf) => {
    await page.goto(`/sites/${await idOf("shop")}?window=24h`);
    await charts(page);
  },
  outage: async (page, idOf) => {
    const [from, to] = [-70, 0].map((minutes) => new Date(Date.now() + minutes * MINUTE).toISOString().slice(0, 19) + "Z");
    await page.goto(`/sites/${await idOf("checkout")}?from=${from}&to=${to}`);
    await charts(page);
    await page.getByRole("group", { name: "Time that is shown" }).evaluate((bar) => bar.scrollIntoView({ block: "start" }));
    await page.getByRole("slider", { name: /^Response time/ }).evaluate((slider) => slider.focus({ preventScroll: true }));
    for (let step = 0; step < 30; step += 1) await page.keyboard.press("ArrowLeft");
  },
  editor: async (page, idOf) => {
    await page.goto(`/sites/${await idOf("shop")}/edit`);
    await page.getByLabel("Timeout").fill("90s");
    await page.getByLabel("Content must match").fill("Add to (basket");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByRole("alert").waitFor();
    await page.evaluate("scrollTo(0, 0)");
  },
  import: async (page) => {
    await page.goto("/sites/import");
    await page.getByLabel("or write it here").fill(SITES);
    await page.getByRole("button", { name: "Show what it would change" }).click();
    await page.getByRole("button", { name: "Apply" }).waitFor();
    await page.locator("textarea").evaluate((file) => (file.scrollTop = 0));
    await page.evaluate("scrollTo(0, 0)");
  },
  wall: async (page) => {
    await page.goto("/wall");
    await page.getByRole("heading").waitFor();
  },
  status: async (page, _, api) => {
    await page.goto(`${api}/status`);
  },
};

async function charts(page) {
  await page.getByRole("img", { name: /^Response time/ }).waitFor();
  await page.getByRole("img", { name: /^Status codes/ }).waitFor();
}

const wanted = process.argv.slice(2);
const server = process.env["DATABASE_URL"];
if (server === undefined) throw new Error("DATABASE_URL is not set");
await withFleet(PROGRAMS, server, async (url, api) => {
  const { items } = await (await fetch(`${api}/api/v1/sites`)).json();
  const idOf = (name) => items.find((one) => one.name === name).id;
  const browser = await chromium.launch({ executablePath: process.env["BROWSER"], args: ["--no-sandbox"] });
  try {
    for (const [name, show] of Object.entries(PICTURES)) {
      if (wanted.length > 0 && !wanted.includes(name)) continue;
      for (const colorScheme of /** @type {const} */ (["dark", "light"])) {
        await take(browser, { ...DESK, colorScheme, baseURL: url }, `${name}-${colorScheme}`, (page) => show(page, idOf, api));
      }
      if (ON_PHONES.includes(name)) await take(browser, { ...PHONE, colorScheme: "dark", baseURL: url }, `${name}-phone`, (page) => show(page, idOf, api));
    }
  } finally {
    await browser.close();
  }
});

async function take(browser, screen, name, show) {
  const context = await browser.newContext({ ...screen, reducedMotion: "reduce", locale: "en-GB", timezoneId: "Europe/Helsinki" });
  const page = await context.newPage();
  await show(page);
  await page.waitForTimeout(REST_MS);
  await page.screenshot({ path: `${IMAGES}/${name}.png` });
  await context.close();
  console.log(name);
}
