// What is counted over time: which names there are, in which colours, and how often each.

import { ofKind } from "../words/reason";
import type { Column } from "./columns";

export interface Kind {
  name: string;
  /** The CSS variable. */
  colour: string;
  count: number;
  column: Column;
}

/** How often each name was counted in each step. */
export type Counts = Readonly<Record<string, number>>;

/** More than these nobody tells apart: the rest is one. */
const MOST = 6;
/** Our own trouble has its own colours, whatever else there is. */
const OURS: Readonly<Record<string, string>> = {
  not_running: "--line-strong",
  handover: "--other",
  overloaded: "--stale",
  checker_network: "--unknown",
  checker_resources: "--disabled",
  configuration: "--transfer",
};
const FAILURES = ["--down", "--degraded", "--tls", "--dns", "--connect", "--first-byte"];
const CLASSES: Readonly<Record<string, readonly string[]>> = {
  2: ["--up", "--first-byte", "--transfer"],
  3: ["--connect", "--first-byte", "--dns"],
  4: ["--degraded", "--tls", "--dns"],
  5: ["--down", "--tls", "--degraded"],
};

/** All names, the most frequent first. */
function ranked(whole: Counts): [name: string, count: number][] {
  return Object.entries(whole).filter(([, count]) => count > 0).toSorted((one, two) => two[1] - one[1] || one[0].localeCompare(two[0]));
}

export function statusKinds(whole: Counts, steps: readonly Counts[]): Kind[] {
  const used = new Set<string>();
  return grouped(whole, steps, (code) => {
    const colours = CLASSES[code.charAt(0)] ?? ["--transfer"];
    const colour = colours.find((one) => !used.has(one)) ?? "--other";
    used.add(colour);
    return [code, colour];
  });
}

export function failureKinds(whole: Counts, steps: readonly Counts[]): Kind[] {
  let next = 0;
  return grouped(whole, steps, (kind) => [ofKind(kind), OURS[kind] ?? FAILURES[next++ % FAILURES.length] ?? "--other"]);
}

/** The most frequent ones by themselves, the rest together. */
function grouped(whole: Counts, steps: readonly Counts[], looks: (key: string) => [name: string, colour: string]): Kind[] {
  const all = ranked(whole);
  const [first, rest] = all.length > MOST ? [all.slice(0, MOST - 1), all.slice(MOST - 1)] : [all, []];
  const kinds = first.map(([key, count]): Kind => {
    const [name, colour] = looks(key);
    return { name, colour, count, column: steps.map((step) => step[key] ?? 0) };
  });
  if (rest.length === 0) return kinds;
  const sum = (step: Counts) => rest.reduce((all, [key]) => all + (step[key] ?? 0), 0);
  return [...kinds, { name: `${rest.length} others`, colour: "--other", count: sum(whole), column: steps.map(sum) }];
}

export function contentKinds(whole: Counts, steps: readonly Counts[]): Kind[] {
  const looks = [["matched", "As expected", "--up"], ["unmatched", "Not as expected", "--down"]] as const;
  return looks.map(([key, name, colour]) => ({ name, colour, count: whole[key] ?? 0, column: steps.map((step) => step[key] ?? 0) })).filter((kind) => kind.count > 0);
}
