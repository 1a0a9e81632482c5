// The certificates that the regions see, which should be one.

import type { RegionState, TlsFacts } from "../api/schema";
import type { Fact } from "../check/facts";

export interface Certificate {
  end: number;
  where: string[];
}

/** By their end, the soonest first. */
export function certificatesOf(regions: readonly RegionState[]): Certificate[] {
  const found = new Map<number, string[]>();
  for (const { region, cert_not_after } of regions) {
    if (!cert_not_after) continue;
    const end = Date.parse(cert_not_after);
    found.set(end, [...(found.get(end) ?? []), region]);
  }
  return [...found].toSorted((one, two) => one[0] - two[0]).map(([end, where]) => ({ end, where }));
}

/** Whose it is, when what is stored is of the same certificate. */
export function factsOfCertificate(tls: TlsFacts | null | undefined, end: number): Fact[] {
  if (!tls?.not_after || Date.parse(tls.not_after) !== end) return [];
  const facts: [string, string | number | null | undefined][] = [
    ["Subject", tls.subject],
    ["Issuer", tls.issuer],
    ["Begins", tls.not_before ? Date.parse(tls.not_before) : null],
    ["SHA-256", tls.sha256],
  ];
  return facts.filter((fact): fact is Fact => Boolean(fact[1]));
}
