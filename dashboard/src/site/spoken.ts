// Charts in words, for those who do not see them.

import type { ResponseTimeMetric } from "../api/schema";
import { PART_NAMES, type Part } from "../check/phases";
import { count, duration } from "../words/numbers";
import { stretch } from "./axis";

export function spokenTimes({ summary, series }: ResponseTimeMetric, outages: number): string {
  const when = stretch(Date.parse(summary.from), Date.parse(summary.to));
  const total = summary.durations.total;
  const ended = `${outages === 0 ? "no outage" : outages === 1 ? "1 outage" : `${count(outages)} outages`}`;
  if (!total) return `Response time, ${when}: no available check, ${ended}.`;
  const slowest = series.reduce((worst, one) => ((one.durations.total?.p95_us ?? -1) > (worst.durations.total?.p95_us ?? -1) ? one : worst));
  const figures = `half of ${count(total.count)} available checks took no longer than ${duration(total.p50_us)}, 95 % ${duration(total.p95_us)}, 99 % ${duration(total.p99_us)}, the slowest ${duration(total.max_us)}`;
  const worst = `Slowest around ${stretch(Date.parse(slowest.from), Date.parse(slowest.to))}, where 95 % took up to ${duration(slowest.durations.total?.p95_us)}`;
  return `Response time, ${when}: ${figures}; ${ended}. ${worst}.`;
}

export function spokenShares(parts: Record<Part, number> | null): string {
  return parts === null ? "Phases: no available check." : `What each phase adds to the mean: ${spokenParts(parts)}.`;
}

export function spokenParts(parts: Record<Part, number> | null): string {
  if (parts === null) return "no available check";
  const told = Object.entries(parts).filter(([, micros]) => micros > 0);
  return told.map(([part, micros]) => `${PART_NAMES[part as Part]} ${duration(micros)}`).join(", ");
}

export function spokenCounts(title: string, totals: readonly { name: string; count: number }[]): string {
  return `${title}: ${totals.map((one) => `${one.name} ${count(one.count)} times`).join(", ")}.`;
}
