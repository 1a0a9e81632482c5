import { describe, expect, test } from "vitest";

import { pageOf } from "./page";

describe("the page of an address", () => {
  test.each([
    ["/", { name: "overview" }],
    ["/wall", { name: "wall" }],
    ["/sites/7", { name: "site", id: 7 }],
    ["/sites/7/", { name: "site", id: 7 }],
    ["/sites/7/edit", { name: "edit", id: 7 }],
    ["/sites/new", { name: "add" }],
    ["/sites/import", { name: "import" }],
  ])("%s", (path, page) => expect(pageOf(path)).toEqual(page));

  test.each(["/sites", "/sites/0", "/sites/x", "/sites/7/other", "/sites/new/edit", "/sites/7/edit/more", "/api/docs", "/status"])(
    "%s is nowhere",
    (path) => expect(pageOf(path)).toEqual({ name: "nowhere" }),
  );
});
