// What a check saw, as names and values.

import type { HttpFacts, Probe, TlsFacts } from "../api/schema";
import { count } from "../words/numbers";
import { CONTENT, WARNINGS } from "../words/outcomes";
import { utc } from "../words/time";

/** What stored checks and those of now have in common. */
export type Seen = Pick<Probe, "outcome" | "failure" | "warnings" | "status_code" | "content" | "timings_us" | "attempts" | "http" | "tls">;

export type Fact = [name: string, value: string];

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
    ...known("Answered", facts.final_url),
    ["Body", facts.body_bytes === 1 ? "1 byte" : `${count(facts.body_bytes)} bytes`],
  ];
}

function tls(facts: TlsFacts): Fact[] {
  const end = facts.not_after ? utc(Date.parse(facts.not_after)) : null;
  return [
    ...known("TLS", [facts.version, facts.cipher].filter(Boolean).join(", ")),
    ...known("Certificate", facts.subject),
    ...known("Issuer", facts.issuer),
    ...known("Ends", end),
    ...known("Not trusted", facts.verify_error?.detail),
    ...known("SHA-256", facts.sha256),
  ];
}

function known(name: string, value: string | null | undefined): Fact[] {
  return value ? [[name, value]] : [];
}
