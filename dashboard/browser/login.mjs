// A server with tokens asks for one, and is shown nothing else before.

import { equal, names } from "./expect.mjs";

export async function login(page, url, tell) {
  const token = page.getByLabel("Token");
  await page.goto(url);
  await token.fill("amt_wrong");
  await token.press("Enter");
  await page.getByRole("alert").waitFor();
  equal(await page.getByRole("alert").innerText(), "The token is not known here.", "the complaint");

  await token.fill(process.env.TOKEN);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForSelector("[role=row][data-site]");
  equal(await names(page), ["shop"], "the sites");
  tell("signed in");

  await page.reload();
  await page.waitForSelector("[role=row][data-site]");
  await page.getByRole("button", { name: "Sign out" }).click();
  await token.waitFor();
  const kept = await page.evaluate(() => JSON.stringify([{ ...sessionStorage }, { ...localStorage }]));
  equal(kept.includes(process.env.TOKEN), false, "the token is kept");
}
