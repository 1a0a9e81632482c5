import { describe, expect, test } from "vitest";

import openapi from "../../../crates/api-bin/openapi.json";
import type { Problem, Site } from "../api/schema";
import { byField, complaintsOf } from "./complaints";
import { differences, merged } from "./difference";
import { COMMON, GROUPS, LISTS, PAIRS, TEXTS } from "./fields";
import { emptyForm, formOf, siteOf, told, unsendable, type Form } from "./form";

/** A site as the API answers it: every field, defaults included. */
const STORED: Site = {
  url: "https://shop.example/health",
  name: "shop",
  method: "GET",
  headers: {},
  body: null,
  interval: "1m",
  timeout: "10s",
  expect_status: "200-299",
  content_regex: null,
  content_regex_absent: null,
  expect_headers: {},
  expect_json: [],
  max_response_time: null,
  redirects: 10,
  ip_family: "any",
  http_version: "auto",
  tls_verify: true,
  tls_ca: null,
  tls_client_cert: null,
  cert_expiry_warning: "14days",
  body_limit: 1_048_576,
  retries: 0,
  regions: [],
  enabled: true,
  tags: [],
};

function written(change: (form: Form) => void, from: Form = emptyForm()): Form {
  change(from);
  return from;
}

describe("the form", () => {
  test("has a place for each field that the API takes, once", () => {
    const taken = Object.keys(openapi.components.schemas.Site.properties).toSorted();
    expect([...TEXTS, ...LISTS, ...PAIRS].toSorted()).toEqual(taken);
    const shown = [...COMMON, ...GROUPS.flatMap((group) => group.fields)].map((spec) => spec.name);
    expect(shown.toSorted()).toEqual(taken);
  });

  test("that is empty sends nothing", () => expect(siteOf(emptyForm())).toEqual({}));

  test("sends what it was given, as the API knows it", () => {
    const site: Site = {
      ...STORED,
      body: "a=b\n",
      content_regex: " ok ",
      tls_verify: false,
      enabled: false,
      expect_status: "200,301",
      ip_family: "v6",
      headers: { Accept: "*/*", "X-Empty": "" },
      expect_json: ["$.a", "$.b"],
      tags: ["front"],
      redirects: 0,
    };
    const sent = siteOf(formOf(site));
    expect(sent).toEqual({
      url: site.url,
      name: "shop",
      method: "GET",
      interval: "1m",
      timeout: "10s",
      cert_expiry_warning: "14days",
      body_limit: "1MiB",
      retries: 0,
      body: "a=b\n",
      content_regex: " ok ",
      tls_verify: false,
      enabled: false,
      expect_status: "200,301",
      ip_family: "v6",
      headers: { Accept: "*/*", "X-Empty": "" },
      expect_json: ["$.a", "$.b"],
      tags: ["front"],
      redirects: 0,
    });
  });

  test("leaves out blank lines and the spaces around words", () => {
    const form = written(({ texts, lists, pairs }) => {
      texts.url = " https://a.example/ ";
      texts.interval = "  ";
      lists.expect_json = ["", "$.a", " "];
      pairs.headers = [{ name: "", value: "" }, { name: " Accept ", value: "text/html" }];
    });
    expect(siteOf(form)).toEqual({ url: "https://a.example/", expect_json: ["$.a"], headers: { Accept: "text/html" } });
  });

  test.each([
    ["redirects", "3", 3],
    ["redirects", "many", "many"],
    ["retries", "-1", "-1"],
    ["body_limit", "4096", 4096],
    ["body_limit", "64KiB", "64KiB"],
    ["interval", "30", "30"],
    ["expect_status", "204", "204"],
  ] as const)("sends the %s %j as %j", (name, text, value) => {
    expect(siteOf(written(({ texts }) => (texts[name] = text)))).toEqual({ [name]: value });
  });

  test.each([
    [1_048_576, "1MiB"],
    [65_536, "64KiB"],
    [1_000_000, "1000000"],
    ["2MiB", "2MiB"],
  ])("shows a body limit of %s as %s", (body_limit, text) => {
    expect(formOf({ ...STORED, body_limit }).texts.body_limit).toBe(text);
  });

  test("keeps fields that it does not know", () => {
    const site = { ...STORED, proxy: "http://proxy.example:3128" };
    expect(siteOf(formOf(site))).toMatchObject({ proxy: "http://proxy.example:3128" });
  });

  test("tells of a closed group only what is not as usual", () => {
    expect(GROUPS.map(({ fields }) => told(formOf(STORED), fields))).toEqual(GROUPS.map(() => ""));
    const form = written(({ texts, pairs }) => {
      texts.method = "POST";
      texts.tls_verify = "false";
      pairs.headers = [{ name: "Accept", value: "*/*" }];
    }, formOf(STORED));
    expect(GROUPS.map(({ fields }) => told(form, fields))).toEqual(["", "Method, Headers", "Verify the certificate", ""]);
  });

  test.each([
    [[{ name: "A", value: "1" }, { name: "A ", value: "2" }], "A is there twice"],
    [[{ name: " ", value: "1" }], "a value has no name"],
  ])("cannot send the headers %j", (headers, message) => {
    expect(unsendable(written(({ pairs }) => (pairs.headers = headers)))).toEqual([{ field: "headers", message }]);
  });

  test("can send blank rows", () => {
    expect(unsendable(written(({ pairs }) => (pairs.headers = [{ name: "", value: "" }, { name: "", value: "" }])))).toEqual([]);
  });
});

describe("a complaint", () => {
  const problem = (type: string, status: number, errors?: Problem["errors"]): Problem => ({
    type: `urn:aiven-monitor:problem:${type}`,
    title: "",
    status,
    detail: "The site 7 has this name; names are unique.",
    ...(errors && { errors }),
  });

  test("stands beside its field, under that field's label", () => {
    const complaints = complaintsOf(problem("invalid-site", 422, [{ field: "interval", message: "no" }, { field: "tags", message: "a" }, { field: "tags", message: "b" }]));
    expect(complaints[0]).toEqual({ field: "interval", label: "Interval", message: "no" });
    expect(byField(complaints)).toEqual({ interval: "no", tags: "a; b" });
  });

  test("of a field that the form has no place for keeps its name", () => {
    const [complaint] = complaintsOf(problem("invalid-site", 422, [{ field: "proxy", message: "unknown field" }]));
    expect(complaint).toEqual({ field: null, label: "proxy", message: "unknown field" });
  });

  test("of a part of a field stands beside that field", () => {
    const [complaint] = complaintsOf(problem("invalid-site", 422, [{ field: "headers.Authorization", message: "is hidden" }]));
    expect(complaint).toEqual({ field: "headers", label: "Headers", message: "Authorization: is hidden" });
  });

  test("that the name is taken belongs to the name", () => {
    expect(byField(complaintsOf(problem("name-taken", 409)))).toEqual({ name: "The site 7 has this name; names are unique." });
  });

  test("of the request's body is not of the body that the site sends", () => {
    expect(byField(complaintsOf(problem("invalid-request", 400, [{ field: "body", message: "not JSON" }])))).toEqual({});
  });
});

describe("two versions", () => {
  const before = formOf(STORED);
  const theirs = formOf({ ...STORED, interval: "2m", timeout: "5s", tags: ["theirs"] });
  const mine = written(({ texts, lists }) => {
    texts.timeout = "3s";
    texts.method = "HEAD";
    lists.tags = ["theirs"];
  }, formOf(STORED));

  test("differ where they say something else, and clash where both were changed", () => {
    expect(differences(before, theirs, mine)).toEqual([
      { field: "interval", before: "1m", theirs: "2m", mine: "1m", clashes: false },
      { field: "timeout", before: "10s", theirs: "5s", mine: "3s", clashes: true },
      { field: "method", before: "GET", theirs: "GET", mine: "HEAD", clashes: false },
    ]);
    expect(differences(before, theirs, theirs)).toEqual([]);
  });

  test("are put together, and mine stays where they clash", () => {
    expect(siteOf(merged(before, theirs, mine))).toMatchObject({ interval: "2m", timeout: "3s", method: "HEAD", tags: ["theirs"] });
  });

  test("do not differ by the order of headers", () => {
    const one = formOf({ ...STORED, headers: { a: "1", b: "2" } });
    const two = formOf({ ...STORED, headers: { b: "2", a: "1" } });
    expect(differences(one, one, two)).toEqual([]);
  });
});
