// A site is added, changed by two at the same time, disabled and removed.

import { equal, eventually } from "./expect.mjs";

const NAME = "corner shop";
const ROW = `[role=row][data-site="${NAME}"]`;

export async function edit(page, url, tell) {
  const shop = await site(page, url, "shop");
  const path = await add(page, url, shop.site.url);
  await page.goto(`${url}?q=corner`);
  await page.waitForSelector(`${ROW}[data-state="up"]`);
  tell("a site was added");

  await page.goto(new URL(`${path}/edit`, url).href);
  await conflict(page, url, path);
  tell("two have changed it");

  await leave(page);
  await page.goto(new URL(`${path}/edit`, url).href);
  await disable(page, url, path);
  tell("it is disabled");

  await page.getByRole("button", { name: "Remove", exact: true }).click();
  await page.getByRole("dialog").getByRole("button", { name: `Remove ${NAME}` }).click();
  await eventually(() => new URL(page.url()).pathname, "/", "the page after that");
  await page.getByRole("searchbox").fill("corner");
  await page.waitForSelector(ROW, { state: "detached" });
  equal((await page.request.get(new URL(`/api/v1${path}`, url).href)).status(), 404, "the site that was removed");
  tell("it is removed");
}

async function site(page, url, name) {
  const answer = await page.request.get(new URL(`/api/v1/sites?q=${name}`, url).href);
  return (await answer.json()).items[0].stored;
}

async function stored(page, url, path) {
  const answer = await page.request.get(new URL(`/api/v1${path}`, url).href);
  return (await answer.json()).site;
}

/** Adds a site, not without mistakes; returns its path. */
async function add(page, url, target) {
  const [interval, timeout] = [page.getByLabel("Interval"), page.getByLabel("Timeout")];
  const save = page.getByRole("button", { name: "Add site" });
  await page.goto(url);
  await page.getByRole("link", { name: "Add site" }).click();
  await page.getByLabel("URL").fill(target);
  await page.getByLabel("Name", { exact: true }).fill(NAME);
  await interval.fill("1");
  await save.click();
  await wrong(page, interval, "is not a duration");
  await page.getByRole("alert").getByRole("link", { name: "Interval" }).click();

  await page.keyboard.press("ControlOrMeta+A");
  await page.keyboard.type("1s");
  await timeout.fill("2s");
  await timeout.press("Enter");
  await wrong(page, timeout, "must not exceed the interval");
  await timeout.fill("900ms");
  await page.getByRole("combobox", { name: "Tags" }).focus();
  await page.keyboard.type("one,two,");
  await page.keyboard.press("Backspace");
  await page.keyboard.type("front");

  await page.getByRole("button", { name: "Try it now" }).click();
  const trial = page.getByRole("complementary", { name: "One check, for trying" });
  await trial.getByText("Up", { exact: true }).waitFor();
  await trial.getByRole("row", { name: /^First byte/ }).waitFor();
  equal(await page.getByRole("alert").count(), 0, "complaints after that");

  await save.click();
  await eventually(() => /^\/sites\/\d+$/.test(new URL(page.url()).pathname), true, "the page of the new site");
  const { pathname } = new URL(page.url());
  const added = await stored(page, url, pathname);
  equal([added.interval, added.timeout, added.tags], ["1s", "900ms", ["one", "front"]], "the site as it is stored");
  return pathname;
}

/** The message is beside the field, which has the focus. */
async function wrong(page, field, message) {
  await eventually(() => field.getAttribute("aria-invalid"), "true", message);
  const described = (await field.getAttribute("aria-describedby")).split(" ").map((id) => page.locator(`#${id}`).innerText());
  const words = (await Promise.all(described)).join(" ");
  if (!words.includes(message)) throw new Error(`beside the field is ${words}`);
  await eventually(() => field.evaluate((element) => element === document.activeElement), true, "the focus is there");
}

async function conflict(page, url, path) {
  const [interval, timeout] = [page.getByLabel("Interval"), page.getByLabel("Timeout")];
  await timeout.fill("800ms");
  const theirs = { ...(await stored(page, url, path)), interval: "2s" };
  equal((await page.request.put(new URL(`/api/v1${path}`, url).href, { data: theirs })).status(), 200, "what another one does");
  await page.context().setOffline(true);
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("alert").getByText("The server does not answer.").waitFor();
  await page.context().setOffline(false);
  await page.getByRole("button", { name: "Save" }).click();
  const found = page.getByRole("region", { name: "It was changed meanwhile" });
  await found.waitFor();
  const rows = await found.getByRole("row").allInnerTexts();
  equal(rows.map((row) => row.split(/\s+/)).slice(1), [["Interval", "2s", "1s"], ["Timeout", "900ms", "800ms"]], "what differs");

  await found.getByRole("button", { name: "Put yours into it" }).click();
  await eventually(() => interval.inputValue(), "2s", "what another one has changed");
  await eventually(() => timeout.inputValue(), "800ms", "what was changed here");
  await page.getByRole("button", { name: "Save" }).click();
  await eventually(() => new URL(page.url()).pathname, path, "the page after saving");
  const saved = await stored(page, url, path);
  equal([saved.interval, saved.timeout], ["2s", "800ms"], "both changes");
  await page.goBack();
}

/** Who has written something is asked before it is lost. */
async function leave(page) {
  const timeout = page.getByLabel("Timeout");
  await timeout.fill("700ms");
  const asked = [];
  const answer = (take) => page.once("dialog", (dialog) => (asked.push(dialog.message()), take ? dialog.accept() : dialog.dismiss()));
  const { href } = new URL(page.url());
  for (const away of [() => page.getByRole("link", { name: "All sites" }).click(), () => page.evaluate("history.back()")]) {
    const before = asked.length;
    answer(false);
    await away();
    await eventually(() => asked.length, before + 1, "whether it asks");
    await eventually(() => page.url(), href, "the page after staying");
    await eventually(() => timeout.inputValue(), "700ms", "what was written");
  }
  answer(true);
  await page.getByRole("link", { name: "All sites" }).click();
  await eventually(() => new URL(page.url()).pathname, "/", "the page after leaving");
}

async function disable(page, url, path) {
  await page.getByRole("button", { name: "Disable" }).click();
  await page.getByRole("button", { name: "Enable" }).waitFor();
  equal((await stored(page, url, path)).enabled, false, "whether it is checked");
}
