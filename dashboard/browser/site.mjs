// The page of a site: why it is down, its charts closer and further away, single checks, and one now.

import { asked, equal, eventually } from "./expect.mjs";

export async function site(page, url, tell) {
  await page.goto(`${url}?window=7d`);
  await open(page, "missing");
  await asked(page, "?window=7d", "the page looks back as far as the overview");
  await page.getByRole("region", { name: "missing" }).getByText("Answers with status 404").waitFor();
  await page.getByRole("img", { name: /^Failures: The status code is not the expected one \d/ }).waitFor();
  await page.getByRole("button", { name: "Show in the charts" }).click();
  await eventually(() => isFixed(page), true, "the outage in the address");
  await page.goBack();
  await asked(page, "?window=7d", "the time before the outage");
  await page.goBack();
  tell("missing is down, and why");

  await open(page, "shop");
  await times(page).waitFor();
  await days(page);
  await zoom(page);
  await keys(page);
  tell("the charts");

  await checks(page);
  tell("a check");

  await probe(page);
  tell("a check now");
}

async function open(page, name) {
  await page.getByRole("cell").getByRole("link", { name, exact: true }).click();
  await page.getByRole("heading", { name, level: 1 }).waitFor();
}

const times = (page) => page.getByRole("img", { name: /^Response time, / });
const range = (page) => page.getByRole("group", { name: "Time that is shown" });
const shown = (page) => range(page).getByRole("paragraph").innerText();
const isFixed = (page) => /^\?from=\S+&to=\S+$/.test(new URL(page.url()).search);

/** A press on a day shows it; arrows go to the one before. */
async function days(page) {
  const today = page.getByRole("button", { name: /: uptime 100 %/ });
  await today.focus();
  await page.keyboard.press("ArrowLeft");
  await eventually(() => page.evaluate(() => document.activeElement?.getAttribute("aria-label")?.includes("nothing is known")), true, "the day before");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("Enter");
  await eventually(() => isFixed(page), true, "the day in the address");
  await page.goBack();
  await asked(page, "?window=7d", "the time before");
}

/** What is dragged over is shown; going back shows what was there before. */
async function zoom(page) {
  await range(page).getByRole("button", { name: "1h", exact: true }).click();
  await eventually(() => shown(page), "Last hour", "the time in words");
  const before = await times(page).getAttribute("aria-label");
  await drag(page, 0.9, 1);
  await eventually(() => isFixed(page), true, "the time in the address");
  const closer = new URLSearchParams(new URL(page.url()).search);
  const at = (word) => Date.parse(closer.get(word));
  // A part of the hour, though not less than ten minutes.
  equal(at("to") - at("from"), 600_000, "how long the time is");
  await eventually(async () => (await times(page).getAttribute("aria-label")) !== before, true, "the chart shows another time");
  equal((await shown(page)) === "Last hour", false, "the old words");
  await range(page).getByRole("button", { name: "Zoom out" }).click();
  await range(page).getByRole("button", { name: "Back" }).click();
  await asked(page, `?${closer.toString().replaceAll("%3A", ":")}`, "the time that was dragged over");
  await dblclick(page);
  await asked(page, "?window=1h", "the hour again");
  await page.reload();
  await eventually(() => shown(page), "Last hour", "the same after a reload");
}

/** Arrows say step by step what a chart shows; Enter goes closer. */
async function keys(page) {
  const steps = page.getByRole("slider", { name: /^Response time/ });
  const told = () => steps.getAttribute("aria-valuetext");
  await steps.focus();
  await page.keyboard.press("End");
  await eventually(async () => /: p50 .*, p95 /.test((await told()) ?? ""), true, "what the newest step is told as");
  const newest = await steps.inputValue();
  await page.keyboard.press("ArrowLeft");
  await eventually(async () => Number(newest) - Number(await steps.inputValue()), 1, "how many steps back the keys are");
  await page.getByText(/^p50 ?[\d.<]/).first().waitFor();
  await page.keyboard.press("Enter");
  await eventually(() => isFixed(page), true, "what Enter shows in the address");
  await page.goBack();
  await asked(page, "?window=1h", "the hour before that");
}

async function drag(page, from, to) {
  const { x, y, width, height } = await plot(page);
  await page.mouse.move(x + width * from, y + height / 2);
  await page.mouse.down();
  await page.mouse.move(x + width * to, y + height / 2, { steps: 5 });
  await page.mouse.up();
}

async function dblclick(page) {
  const { x, y, width, height } = await plot(page);
  await page.mouse.dblclick(x + width / 2, y + height / 2);
}

async function plot(page) {
  const area = times(page).locator(".u-over");
  await area.scrollIntoViewIfNeeded();
  return area.boundingBox();
}

async function checks(page) {
  const all = page.getByRole("list", { name: "Checks" }).getByRole("listitem");
  const check = await all.first().getAttribute("data-check");
  const one = page.locator(`[data-check="${check}"]`);
  await one.getByRole("button").click();
  await one.getByRole("row", { name: /^First byte/ }).waitFor();
  await one.getByText("Checker").waitFor();
  await asked(page, `?window=1h&check=${check}`, "the check in the address");
  await page.reload();
  await one.getByRole("row", { name: /^Total/ }).waitFor();
  await one.getByRole("button").click();
  await asked(page, "?window=1h", "the address when it is closed");
  await page.getByRole("combobox", { name: "How checks ended" }).selectOption("down");
  await page.getByText("No check of this time is like this.").waitFor();
  await page.getByRole("button", { name: "Show all" }).click();
  await all.first().waitFor();
}

async function probe(page) {
  await page.getByRole("button", { name: "Check now" }).click();
  const now = page.getByRole("region", { name: "Check now" });
  await now.getByRole("heading", { name: /^Up/ }).waitFor();
  await now.getByRole("row", { name: /^Total/ }).waitFor();
  await now.getByText("Nothing of this is stored").waitFor();
  await now.getByRole("button", { name: "Close" }).click();
  await now.waitFor({ state: "detached" });
}
