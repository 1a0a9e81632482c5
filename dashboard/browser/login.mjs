// A server with tokens asks for one, and is shown nothing else before.

import { eventually, shown } from "./expect.mjs";

export async function login(page, url, tell) {
  const token = page.getByLabel("Token");
  await page.goto(url);
  await token.fill("amt_wrong");
  await token.press("Enter");
  await page.getByRole("alert").waitFor();
  await eventually(() => page.getByRole("alert").innerText(), "The token is not known here.", "the complaint");

  await token.fill(process.env.TOKEN);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForSelector("[role=row][data-site]");
  await shown(page, ["shop"], "the sites");
  tell("signed in");

  await page.getByRole("cell").getByRole("link", { name: "shop", exact: true }).click();
  await page.getByRole("button", { name: "Check now" }).click();
  const said = () => page.getByRole("alert").innerText();
  await eventually(said, 'The token "wall" has the scope read; this takes write.', "who may only read");
  await page.goBack();

  await page.reload();
  await page.waitForSelector("[role=row][data-site]");
  await page.getByRole("button", { name: "Sign out" }).click();
  await token.waitFor();
  const kept = () => page.evaluate(() => JSON.stringify([{ ...sessionStorage }, { ...localStorage }]));
  await eventually(async () => (await kept()).includes(process.env.TOKEN), false, "the token is kept");
}
