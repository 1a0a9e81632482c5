// Status pages: HTML for everybody, also without scripts, with a badge to copy.

import { readFile } from "node:fs/promises";

import { AXE, find, SCREENS } from "./axe.mjs";
import { equal, eventually } from "./expect.mjs";

export async function status(page, url, tell) {
  const at = (path) => new URL(path, url).href;
  const context = await page.context().browser().newContext({ javaScriptEnabled: false });
  const plain = await context.newPage();
  await pages(plain, at);
  tell("a site is down, without scripts");
  await badges(plain, at);
  tell("a badge");
  await context.close();

  const axe = await readFile(AXE, "utf8");
  for (const colorScheme of ["dark", "light"]) {
    for (const screen of SCREENS) {
      for (const path of ["/status", "/status/public"]) {
        await page.emulateMedia({ colorScheme });
        await page.setViewportSize(screen);
        await page.goto(at(path));
        for (const summary of await page.locator("summary").all()) await summary.click();
        const where = `${path}, ${colorScheme}, ${screen.width} px`;
        const wide = await page.evaluate(() => document.documentElement.scrollWidth);
        equal(wide, screen.width, `the width of the page (${where})`);
        await page.evaluate(axe);
        await find(page, where);
      }
    }
  }
  tell("everybody can read it");
}

/** From the list of pages to the one that has the site which is down. */
async function pages(page, at) {
  await page.goto(at("/status"));
  await page.getByRole("listitem").filter({ hasText: "public" }).getByText("1 of 2 sites is down").waitFor();
  await page.getByRole("link", { name: "public" }).click();
  await page.getByRole("region", { name: "Now" }).getByText("1 of 2 sites is down").waitFor();
  await page.getByRole("region", { name: "Current outages" }).getByText(/^down since \d/).waitFor();
  await eventually(() => page.getByRole("region", { name: "Current outages" }).getByRole("listitem").locator("strong").allInnerTexts(), ["missing"], "what is down");
  await eventually(() => page.getByRole("heading", { level: 3 }).allInnerTexts(), ["missing", "shop"], "all sites of the page");
  equal(await page.getByText("blog").count(), 0, "sites of other pages");
  await page.getByRole("link", { name: "All pages" }).click();
  await eventually(() => new URL(page.url()).pathname, "/status", "the list again");
}

/** What is offered to be copied leads to a picture that is there. */
async function badges(page, at) {
  await page.goto(at("/status/public"));
  await page.getByText("Badges of shop").click();
  const badge = page.getByRole("img", { name: "Status of shop" });
  await badge.scrollIntoViewIfNeeded();
  const address = await badge.getAttribute("src");
  const markdown = await page.locator("code").filter({ hasText: `](${address})` }).first().innerText();
  equal(markdown.startsWith("![Status of shop]("), true, `what is offered for Markdown, ${markdown}`);
  const answer = await page.request.get(at(address));
  equal([answer.status(), answer.headers()["content-type"]], [200, "image/svg+xml"], "the picture's answer");
  equal((await answer.text()).includes("up"), true, "the picture says how the site is");
  await eventually(async () => ((await badge.boundingBox())?.width ?? 0) > 40, true, "the picture is shown");
}
