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
  await reading(page);
  await page.getByRole("button", { name: "Check now" }).click();
  const said = () => page.getByRole("alert").innerText();
  await eventually(said, 'The token "wall" has the scope read; this takes write.', "who may only read");
  await page.goBack();

  await page.reload();
  await page.waitForSelector("[role=row][data-site]");
  await writing(page);
  await page.getByRole("button", { name: "Sign out" }).click();
  await token.waitFor();
  const kept = () => page.evaluate(() => JSON.stringify([{ ...sessionStorage }, { ...localStorage }]));
  await eventually(async () => (await kept()).includes(process.env.TOKEN), false, "the token is kept");
}

/** From whom something is hidden learns before writing that it would be in vain. */
async function reading(page) {
  await page.getByRole("link", { name: "Definition" }).click();
  await page.getByText("You may look, but not change anything.").waitFor();
  await page.getByRole("button", { name: "Use another token" }).click();
  await page.getByRole("button", { name: "Go on reading" }).click();
  await eventually(() => page.getByLabel("URL").isVisible(), true, "the definition");
  await page.goBack();
}

/** Who may only read is told so, and what was written outlasts also a token that is not taken any more. */
async function writing(page) {
  const field = page.getByLabel("URL");
  const add = page.getByRole("button", { name: "Add site" });
  await page.getByRole("link", { name: "Add site" }).click();
  await field.fill("https://kept.example/");
  await add.click();
  await page.getByRole("alert").getByText("has the scope read").waitFor();

  const problem = { type: "urn:aiven-monitor:problem:unauthorized", title: "", status: 401, detail: "The token is not known here." };
  const refuse = (route) => route.fulfill({ status: 401, contentType: "application/problem+json", json: problem });
  await page.route("**/api/v1/sites", refuse);
  await add.click();
  await page.getByLabel("Token").fill(process.env.TOKEN);
  await page.unroute("**/api/v1/sites", refuse);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("alert").getByText("nothing was changed").waitFor();
  await eventually(() => field.inputValue(), "https://kept.example/", "what was written");
  page.once("dialog", (dialog) => dialog.accept());
  await page.getByRole("link", { name: "All sites" }).click();
  await page.waitForSelector("[role=row][data-site]");
}
