// Why a site is not simply up, in words.

import type { Failure, FailureKind, Judgement, RegionState } from "../api/schema";
import { duration } from "./numbers";
import { WARNINGS } from "./outcomes";
import { daysUntil } from "./time";

/** What each kind of failure means to somebody who has just been woken up. */
const KINDS: Record<FailureKind, string> = {
  dns_not_found: "The name does not exist",
  dns_servfail: "The name server failed",
  dns_timeout: "No name server answered in time",
  dns_error: "The name cannot be resolved",
  connection_refused: "The connection was refused",
  connection_reset: "The connection was reset",
  host_unreachable: "There is no route to the host",
  network_unreachable: "There is no route to the network",
  connect_timeout: "No connection in time",
  address_not_allowed: "The address must not be checked",
  tls_handshake: "The TLS handshake failed",
  tls_timeout: "The TLS handshake did not end in time",
  cert_expired: "The certificate has expired",
  cert_not_yet_valid: "The certificate is not valid yet",
  cert_hostname_mismatch: "The certificate is for another name",
  cert_untrusted: "The certificate is not trusted",
  cert_revoked: "The certificate has been revoked",
  cert_invalid: "The certificate is not valid",
  first_byte_timeout: "No answer in time",
  no_response: "The connection was closed without an answer",
  protocol_error: "The answer is not proper HTTP",
  header_too_large: "The response head is too large",
  body_timeout: "The body did not end in time",
  body_incomplete: "The connection ended in the middle of the body",
  body_decode: "The body's encoding is broken",
  body_over_limit: "The body is larger than its limit",
  redirect_limit: "Too many redirects",
  redirect_invalid: "A redirect leads nowhere",
  redirect_not_allowed: "A redirect leads where it must not",
  unexpected_status: "The status code is not the expected one",
  content_unmatched: "The expected content is not there",
  content_forbidden: "There is content that must not be there",
  header_unmatched: "An expected header is not there",
  json_unmatched: "An expected JSON value is not there",
  checker_network: "The checker's own network is down",
  checker_resources: "The checker has run out of resources",
  configuration: "It cannot be checked as it is configured",
  overloaded: "The checker was too busy",
  not_running: "No checker was running",
  handover: "The site was changing hands between checkers",
};

/** How a site is, and what each region says of it. */
type Told = Pick<Judgement, "state" | "regions">;

export interface Reason {
  /** What it means. */
  title: string;
  /** What the check saw; empty when there is no more to say. */
  detail: string;
}

/** The words for a kind, also for one that this page does not know yet. */
export function ofKind(kind: string): string {
  return (KINDS as Record<string, string>)[kind] ?? kind.replaceAll("_", " ");
}

/** Why a site is as it is: what the region says that is the reason for its state. */
export function reason(site: Told, now: number): Reason {
  const region = site.regions.find((one) => one.state === site.state) ?? site.regions[0];
  switch (site.state) {
    case "unknown":
      return ours(region) ?? { title: "No check has told anything yet", detail: "" };
    case "stale":
      return ours(region) ?? { title: "No verdict lately", detail: "" };
    case "disabled":
      return { title: "Not checked", detail: "" };
    case "up":
      return { title: "", detail: "" };
    case "degraded":
    case "down":
      return failed(region) ?? warned(region, now);
  }
}

function failed(region: RegionState | undefined): Reason | undefined {
  const failure = region?.failure;
  if (!failure) return undefined;
  return { title: ofFailure(failure, region.status_code), detail: failure.detail };
}

/** A failure in words: a status that was not expected is named. */
export function ofFailure(failure: Failure, status: number | null | undefined): string {
  const answered = failure.kind === "unexpected_status" && status != null;
  return answered ? `Answers with status ${status}` : ofKind(failure.kind);
}

function ours(region: RegionState | undefined): Reason | undefined {
  const own = region?.outcome === "error" || region?.outcome === "missed";
  return own ? failed(region) : undefined;
}

/** What the region's latest check warns of; the one before may have had the warning, and then nobody knows which. */
function warned(region: RegionState | undefined, now: number): Reason {
  const warnings = region?.warnings ?? [];
  const titles: string[] = [];
  if (warnings.includes("cert_expires_soon")) titles.push(certificateEnds(region?.cert_not_after, now));
  if (warnings.includes("slow_response")) titles.push(WARNINGS.slow_response);
  return {
    title: titles.join("; ") || "Answers with a warning",
    detail: warnings.includes("slow_response") ? `took ${duration(region?.total_us)}` : "",
  };
}

function certificateEnds(end: string | null | undefined, now: number): string {
  if (!end) return WARNINGS.cert_expires_soon;
  const days = daysUntil(Date.parse(end), now);
  return `The certificate ends in ${days === 1 ? "1 day" : `${days} days`}`;
}

/** The regions that share the state of a site, among all that check it. */
export function where(site: Told): string {
  const affected = site.regions.filter((region) => region.state === site.state);
  if (site.regions.length < 2) return "";
  if (affected.length === site.regions.length) return `all ${site.regions.length} regions`;
  return affected.map((region) => region.region).join(", ");
}
