// The phases of a check in their order, and the rest: earlier hops and attempts, and what is between phases.

import type { Timings } from "../api/schema";

export const PHASES = ["dns", "connect", "tls", "first_byte", "transfer"] as const satisfies readonly (keyof Timings)[];
export type Phase = (typeof PHASES)[number];
export type Part = Phase | "other";

export const PART_NAMES: Record<Part, string> = {
  dns: "DNS",
  connect: "Connect",
  tls: "TLS",
  first_byte: "First byte",
  transfer: "Transfer",
  other: "Other",
};

/** The CSS variable of each. */
export const PART_COLOURS: Record<Part, string> = {
  dns: "--dns",
  connect: "--connect",
  tls: "--tls",
  first_byte: "--first-byte",
  transfer: "--transfer",
  other: "--other",
};
