// The page can be read by everybody: in both themes, on a desk and on a phone.

import { readFile } from "node:fs/promises";

import { AXE, find, SCREENS } from "./axe.mjs";
import { equal, eventually } from "./expect.mjs";

export async function looks(page, url, tell) {
  const axe = await readFile(AXE, "utf8");
  for (const colorScheme of ["dark", "light"]) {
    for (const screen of SCREENS) {
      const where = `${colorScheme}, ${screen.width} px`;
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      await page.setViewportSize(screen);
      await page.goto(url);
      await page.waitForSelector("li[data-site][data-state=down]");
      // Rows that are not in sight are not there.
      await page.getByRole("search").scrollIntoViewIfNeeded();
      await page.mouse.wheel(0, screen.height / 2);
      await page.waitForSelector("[role=row][data-site]");
      await narrow(page, screen, where);
      await page.evaluate(axe);
      await find(page, `overview, ${where}`);
      await page.locator("li[data-site] a").first().click();
      await page.getByRole("img", { name: /^Response time/ }).waitFor();
      await page.getByRole("button", { name: "Check now" }).click();
      await page.getByText("Nothing of this is stored").waitFor();
      await page.locator("[data-check] button").first().click();
      const wideSite = await page.evaluate(() => document.documentElement.scrollWidth);
      equal(wideSite, screen.width, `the width of the page of a site (${where})`);
      await find(page, `one site, ${where}`);
      await wall(page, url, screen, where);
      await editor(page, url, screen, where);
      await imports(page, url, screen, where);
      tell(where);
    }
  }
  await themes(page);
  tell("themes");
}

async function narrow(page, screen, where) {
  const wide = await page.evaluate(() => document.documentElement.scrollWidth);
  equal(wide, screen.width, `the width of the page (${where})`);
}

async function wall(page, url, screen, where) {
  await page.goto(new URL("/wall", url).href);
  await page.getByRole("list", { name: "Needs attention" }).waitFor();
  await narrow(page, screen, `wall, ${where}`);
  await page.evaluate(await readFile(AXE, "utf8"));
  await find(page, `wall, ${where}`);
}

/** Every field, some of them wrong, and what trying and removing show. */
async function editor(page, url, screen, where) {
  const { items } = await (await page.request.get(new URL("/api/v1/sites?q=missing", url).href)).json();
  await page.goto(new URL(`/sites/${items[0].id}/edit`, url).href);
  await page.getByRole("button", { name: "Try it now" }).click();
  await page.getByRole("row", { name: /^Total/ }).waitFor();
  for (const summary of await page.locator("summary").all()) await summary.click();
  for (const add of await page.getByRole("button", { name: /^Add a / }).all()) await add.click();
  await page.getByRole("textbox", { name: "Name of the header 1" }).first().fill("not a name");
  await page.getByLabel("Interval").fill("soon");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("alert").waitFor();
  await narrow(page, screen, `editor, ${where}`);
  await page.evaluate(await readFile(AXE, "utf8"));
  await find(page, `editor, ${where}`);
  await page.getByRole("button", { name: "Remove", exact: true }).click();
  await page.getByRole("dialog").waitFor();
  await find(page, `removing a site, ${where}`);
  page.once("dialog", (dialog) => dialog.accept());
}

/** A plan, and what is wrong with a file. */
async function imports(page, url, screen, where) {
  const file = (interval) => `sites:\n  - {name: shop, url: "https://x.example/", interval: ${interval}}\n  - {name: new, url: "https://new.example/"}\n`;
  await page.goto(new URL("/sites/import", url).href);
  await page.evaluate(await readFile(AXE, "utf8"));
  for (const [interval, seen] of [["2s", page.getByRole("button", { name: "Apply" })], ["often", page.getByRole("alert")]]) {
    await page.getByLabel("or write it here").fill(file(interval));
    await page.getByRole("button", { name: "Show what it would change" }).click();
    await seen.waitFor();
    await narrow(page, screen, `import, ${where}`);
    await find(page, `import, ${where}`);
  }
  page.once("dialog", (dialog) => dialog.accept());
}

/** The viewer's own choice wins over the system's, and stays. */
async function themes(page) {
  const scheme = () => page.evaluate(() => getComputedStyle(document.documentElement).colorScheme);
  const change = page.getByRole("button", { name: /^Theme/ });
  await page.emulateMedia({ colorScheme: "dark" });
  await eventually(scheme, "light dark", "the system's theme");
  await change.click();
  await eventually(scheme, "light", "the first choice");
  await page.reload();
  await eventually(scheme, "light", "the choice after a reload");
  await change.click();
  await eventually(scheme, "dark", "the second choice");
  await change.click();
  await eventually(scheme, "light dark", "the system's theme again");
}
