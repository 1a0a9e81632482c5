// What a check saw, as names and values.

import type { HttpFacts, Probe, TlsFacts } from "../api/schema";
import { count } from "../words/numbers";
import { CONTENT, WARNINGS } from "../words/outcomes";
import { ofKind } from "../words/reason";

/** What stored checks and those of now have in common. */
export type Seen = Pick<Probe, "outcome" | "failure" | "warnings" | "status_code" | "content" | "timings_us" | "attempts" | "http" | "tls">;

/** A name, and a text or an instant. */
export type Fact = [name: string, value: string | number];

export function factsOf(seen: Seen): Fact[] {
  return [
    ...known("Status", seen.status_code == null ? null : String(seen.status_code)),
    ["Content", CONTENT[seen.content]],
    ...known("Attempts", seen.attempts === 0 ? null : String(seen.attempts)),
    ...known("Warnings", seen.warnings.map((one) => WARNINGS[one]).join(", ")),
    ...(seen.http ? http(seen.http) : []),
    ...(seen.tls ? tls(seen.tls) : []),
  ];
}

function http(facts: HttpFacts): Fact[] {
  return [
    ...known("HTTP", facts.version),
    ...known("Address", facts.remote_addr),
    ...known("Redirects", facts.redirects === 0 ? null : count(facts.redirects)),
    ...known(facts.redirects > 0 ? "Ended at" : "URL", facts.final_url),
    ["Body", facts.body_bytes === 1 ? "1 byte" : `${count(facts.body_bytes)} bytes`],
  ];
}

function tls(facts: TlsFacts): Fact[] {
  const end = facts.not_after ? Date.parse(facts.not_after) : null;
  const wrong = facts.verify_error;
  return [
    ...known("TLS", [facts.version, facts.cipher].filter(Boolean).join(", ")),
    ...known("Certificate", facts.subject),
    ...known("Issuer", facts.issuer),
    ...known("Valid until", end),
    ...known("Not trusted", wrong && `${ofKind(wrong.kind)}: ${wrong.detail}`),
    ...known("SHA-256", facts.sha256),
  ];
}

function known(name: string, value: string | number | null | undefined): Fact[] {
  return value ? [[name, value]] : [];
}
