// A page that is open tells what happens, and shows what is asked for.

import { asked, equal, eventually, shown } from "./expect.mjs";

const row = (site, state) => `[role=row][data-site="${site}"][data-state="${state}"]`;

export async function live(page, url, tell) {
  await page.goto(url);
  await page.waitForSelector(row("shop", "up"));
  await page.waitForSelector(row("blog", "up"));
  await eventually(() => page.title(), "Aiven Monitor", "the title while all is up");
  const usual = await icon(page);
  tell("shop is up");

  const trouble = page.locator('li[data-site="shop"][data-state="down"]');
  await trouble.waitFor();
  const words = await trouble.innerText();
  if (!words.includes("No answer in time")) throw new Error(`the reason is not there: ${words}`);
  await page.waitForFunction(() => document.title.startsWith("(1) One site is down"));
  equal((await icon(page))?.startsWith("data:image/svg+xml,"), true, "the picture of the tab while a site is down");
  await filters(page);
  await detail(page);
  await network(page);
  tell("shop is down");

  await page.waitForSelector(row("shop", "up"));
  await trouble.waitFor({ state: "detached" });
  await eventually(() => icon(page), usual, "the picture of the tab after that");
  tell("shop is up again");
}

const icon = (page) => page.locator("link[rel=icon]").getAttribute("href");

async function filters(page) {
  await page.getByRole("group", { name: "Show only sites that are" }).getByRole("button", { name: /^Down/ }).click();
  await shown(page, ["shop"], "sites that are down");
  await asked(page, "?state=down", "the address");
  await page.reload();
  await page.waitForSelector(row("shop", "down"));
  await shown(page, ["shop"], "the same after a reload");
  await page.getByRole("button", { name: "Clear filters" }).click();
  await page.keyboard.press("/");
  await page.keyboard.type("BLOG");
  await shown(page, ["blog"], "what is searched for");
  await page.getByRole("searchbox").fill("");
  await page.getByRole("combobox", { name: "Tag" }).selectOption("front");
  await shown(page, ["shop"], "sites with a tag");
  await page.getByRole("button", { name: "Clear filters" }).click();
  await page.getByRole("columnheader", { name: "Site" }).getByRole("button").click();
  await shown(page, ["blog", "shop"], "sites by name");
  await asked(page, "?sort=name", "the address");
}

async function detail(page) {
  await page.getByRole("cell").getByRole("link", { name: "shop", exact: true }).click();
  await page.getByRole("heading", { name: "shop", level: 1 }).waitFor();
  await page.getByRole("list", { name: "Regions" }).getByText("No answer in time (first byte)").waitFor();
  await eventually(() => /^\/sites\/\d+$/.test(new URL(page.url()).pathname), true, "the site is in the address");
  await page.goBack();
  await page.waitForSelector(row("shop", "down"));
  await asked(page, "?sort=name", "the address after that");
}

async function network(page) {
  const alert = page.getByRole("alert");
  await page.context().setOffline(true);
  await alert.waitFor();
  const words = await alert.innerText();
  if (!words.includes("What you see is of")) throw new Error(`the page does not say how old it is: ${words}`);
  await shown(page, ["blog", "shop"], "sites while the network is away");
  await page.context().setOffline(false);
  await alert.waitFor({ state: "detached" });
}
