// The fields of a site, as the form shows them. docs/sites.md says what they mean.

import type { Site } from "../api/schema";

export const TEXTS = [
  "url", "name", "interval", "timeout", "expect_status", "content_regex", "content_regex_absent",
  "max_response_time", "body_limit", "method", "body", "http_version", "ip_family", "redirects",
  "tls_verify", "tls_ca", "tls_client_cert", "cert_expiry_warning", "retries", "enabled",
] as const satisfies readonly (keyof Site)[];
export const LISTS = ["tags", "expect_json", "regions"] as const satisfies readonly (keyof Site)[];
export const PAIRS = ["headers", "expect_headers"] as const satisfies readonly (keyof Site)[];

export type TextField = (typeof TEXTS)[number];
export type ListField = (typeof LISTS)[number];
export type PairField = (typeof PAIRS)[number];
export type FieldName = TextField | ListField | PairField;

interface Described {
  label: string;
  hint?: string;
  /** What counts when it is empty, as the API writes it. */
  usual?: string;
  placeholder?: string;
  /** Takes half of a row. */
  short?: true;
}

/** One line; spaces around it count only in a pattern. */
export type TextSpec = Described & { name: TextField; kind: "word" | "pattern" | "number" | "block" };
export type ChoiceSpec = Described & { name: TextField; kind: "choice"; choices: Record<string, string> };
/** On, unless it is "false". */
export type SwitchSpec = Described & { name: TextField; kind: "switch" };
/** Words are names, lines may be anything. */
export type ListSpec = Described & { name: ListField; kind: "words" | "lines"; one: string };
export type PairSpec = Described & { name: PairField; kind: "pairs"; one: string; value: string };
export type Spec = TextSpec | ChoiceSpec | SwitchSpec | ListSpec | PairSpec;

export interface Group {
  title: string;
  fields: Spec[];
}

/** What nearly every site says of itself. */
export const COMMON: Spec[] = [
  { name: "url", kind: "word", label: "URL", placeholder: "https://example.com/", hint: "http or https. Credentials go into the headers." },
  { name: "name", kind: "word", label: "Name", hint: "Unique." },
  { name: "interval", kind: "word", label: "Interval", usual: "1m", short: true, hint: "From one check to the next, 1s to 24h." },
  { name: "timeout", kind: "word", label: "Timeout", usual: "10s", short: true, hint: "For the whole check; never longer than the interval." },
  { name: "expect_status", kind: "word", label: "Expected status", usual: "200-299", short: true, hint: "Codes and ranges: 200-299,304." },
  { name: "content_regex", kind: "pattern", label: "Content must match", short: true, hint: "A regular expression for the body." },
  { name: "tags", kind: "words", label: "Tags", one: "tag", hint: "For grouping. Enter or a comma adds one." },
];

export const GROUPS: Group[] = [
  {
    title: "More rules",
    fields: [
      { name: "content_regex_absent", kind: "pattern", label: "Content must not match", hint: "A regular expression for the body." },
      { name: "expect_headers", kind: "pairs", label: "Response headers", one: "header", value: "regular expression", hint: "Each has to be there, with a value that matches." },
      { name: "expect_json", kind: "lines", label: "JSON", one: "query", placeholder: "$.status", hint: "JSONPath queries that must each select something." },
      { name: "max_response_time", kind: "word", label: "Longest response time", short: true, placeholder: "800ms", hint: "A slower answer is degraded." },
      { name: "body_limit", kind: "word", label: "Body limit", usual: "1MiB", short: true, hint: "Of the body, this much is read; at most 16MiB." },
    ],
  },
  {
    title: "Request",
    fields: [
      { name: "method", kind: "word", label: "Method", usual: "GET", short: true },
      { name: "redirects", kind: "number", label: "Redirects", usual: "10", short: true, hint: "How many are followed; 0 judges the redirect itself." },
      { name: "headers", kind: "pairs", label: "Headers", one: "header", value: "value", hint: "Only who may change sites sees the values." },
      { name: "body", kind: "block", label: "Body" },
      { name: "http_version", kind: "choice", label: "HTTP version", usual: "auto", short: true, choices: { auto: "HTTP/2 where it is offered", "1.1": "HTTP/1.1", "2": "HTTP/2" } },
      { name: "ip_family", kind: "choice", label: "Addresses", usual: "any", short: true, choices: { any: "Any", v4: "IPv4", v6: "IPv6" } },
    ],
  },
  {
    title: "TLS",
    fields: [
      { name: "tls_verify", kind: "switch", label: "Verify the certificate", usual: "true", hint: "Without it, any certificate will do." },
      { name: "cert_expiry_warning", kind: "word", label: "Warn before it ends", usual: "14days", short: true, hint: "A certificate that ends sooner is degraded." },
      { name: "tls_ca", kind: "block", label: "Authorities", placeholder: "-----BEGIN CERTIFICATE-----", hint: "PEM. Trusted instead of the system's." },
      { name: "tls_client_cert", kind: "block", label: "Client certificate", placeholder: "-----BEGIN CERTIFICATE-----", hint: "PEM, with its key. Only who may change sites sees it." },
    ],
  },
  {
    title: "Checking",
    fields: [
      { name: "retries", kind: "number", label: "Retries", usual: "0", short: true, hint: "Further attempts at once before it counts as down, at most 5." },
      { name: "regions", kind: "words", label: "Regions", one: "region", hint: "Names of the regions that check it; all when there are none." },
      { name: "enabled", kind: "switch", label: "Check this site", usual: "true", hint: "Without it, the site is kept but not checked." },
    ],
  },
];

const SPECS = new Map<string, Spec>([...COMMON, ...GROUPS.flatMap((group) => group.fields)].map((spec) => [spec.name, spec]));

export function specOf(name: string): Spec | undefined {
  return SPECS.get(name);
}

export function isField(name: string): name is FieldName {
  return SPECS.has(name);
}

/** What people call a field; one that is not known keeps its name. */
export function labelOf(name: string): string {
  return SPECS.get(name)?.label ?? name;
}

/** The element of a field that takes the focus. */
export function idOf(name: string): string {
  return `field-${name}`;
}
