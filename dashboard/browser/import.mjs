// A site file becomes what is monitored, and not before somebody has seen what that changes.

import { equal, eventually } from "./expect.mjs";

const file = (interval, tags) => `sites:\n  - name: corner cafe\n    url: https://cafe.example/\n    interval: ${interval}\n    enabled: false\n    tags: [${tags}]\n`;

export async function imports(page, url, tell) {
  const text = page.getByLabel("or write it here");
  const look = page.getByRole("button", { name: "Show what it would change" });
  const apply = page.getByRole("button", { name: "Apply" });
  await page.goto(url);
  await page.getByRole("link", { name: "Import" }).click();

  await text.fill(file("often", ""));
  await look.click();
  const wrong = page.getByRole("alert");
  await wrong.getByText("corner cafe, Interval:").waitFor();
  await wrong.getByRole("button", { name: "Line 4" }).click();
  const marked = () => text.evaluate((area) => area.value.slice(area.selectionStart, area.selectionEnd));
  await eventually(marked, "    interval: often", "the line that is marked");
  tell("a file was wrong");

  await text.fill(file("1h", ""));
  await look.click();
  await page.getByRole("heading", { name: "Would be: 1 site added" }).waitFor();
  equal(await ids(page, url, "corner"), [], "sites before it is applied");
  const other = { name: "corner kiosk", url: "https://kiosk.example/", enabled: false };
  equal((await page.request.post(new URL("/api/v1/sites", url).href, { data: other })).status(), 201, "what another one does");
  await apply.click();
  await page.getByText("The sites were changed meanwhile.").waitFor();
  equal((await ids(page, url, "cafe")).length, 0, "sites after it was refused");
  await apply.click();
  await page.getByRole("heading", { name: "1 site added", exact: true }).waitFor();
  equal((await ids(page, url, "cafe")).length, 1, "sites after it is applied");
  tell("a site was imported");

  const buffer = Buffer.from(file("2h", "new"));
  await page.getByLabel("Choose a file").setInputFiles({ name: "sites.yaml", mimeType: "application/yaml", buffer });
  await page.getByRole("heading", { name: "Would be: 1 site changed" }).waitFor();
  const changed = page.getByRole("region", { name: "Changed" }).getByRole("listitem");
  equal((await changed.innerText()).replaceAll("\n", " "), "corner cafe Interval, Tags", "what changes");
  await apply.click();
  await page.getByRole("heading", { name: "1 site changed", exact: true }).waitFor();
  await look.click();
  await page.getByRole("heading", { name: "Everything is as the file says already" }).waitFor();
  equal(await apply.count(), 0, "what there is to apply");
  for (const id of await ids(page, url, "corner")) await page.request.delete(new URL(`/api/v1/sites/${id}`, url).href);
  tell("it was imported again");
}

async function ids(page, url, name) {
  const answer = await page.request.get(new URL(`/api/v1/sites?q=${name}`, url).href);
  return (await answer.json()).items.map((item) => item.id);
}
