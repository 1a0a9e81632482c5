// What an import would do, and what is wrong with its file, as people read it.

import type { FieldError, Import, UpdatedSite } from "../api/schema";
import { count } from "../words/numbers";
import { labelOf } from "./fields";

/** The sites with which the same is done. */
export interface Part {
  kind: keyof Import["counts"];
  title: string;
  /** How many there are; not all of them need be listed. */
  all: number;
  sites: UpdatedSite[];
}

export function partsOf(plan: Import): Part[] {
  const named = (names: string[]) => names.map((name) => ({ name, fields: [] }));
  const parts: Part[] = [
    { kind: "created", title: "Added", all: plan.counts.created, sites: named(plan.created) },
    { kind: "updated", title: "Changed", all: plan.counts.updated, sites: plan.updated },
    { kind: "removed", title: "Removed", all: plan.counts.removed, sites: named(plan.removed) },
    { kind: "unchanged", title: "As they are", all: plan.counts.unchanged, sites: named(plan.unchanged) },
  ];
  return parts.filter((part) => part.all > 0);
}

/** Whether there is anything to be done. */
export function isNeeded({ counts }: Import): boolean {
  return counts.created + counts.updated + counts.removed > 0;
}

/** In one sentence, what would be done, or was. */
export function deed(plan: Import): string {
  const { created, updated, removed, unchanged } = plan.counts;
  if (!isNeeded(plan)) return unchanged === 0 ? "There are no sites in the file" : "Everything is as the file says already";
  const deeds: [number, string][] = [[created, "added"], [updated, "changed"], [removed, "removed"]];
  const said = deeds.filter(([number]) => number > 0).map(([number, what]) => `${number === 1 ? "1 site" : `${count(number)} sites`} ${what}`);
  return `${plan.applied ? "" : "Would be: "}${said.join(", ")}`;
}

export interface Mistake {
  line: number | null;
  /** Which site and field; empty for the file itself. */
  where: string;
  message: string;
}

export function mistakesOf(errors: readonly FieldError[]): Mistake[] {
  return errors.map(({ field, message, line, site }) => ({ line: line ?? null, where: site ? whereOf(site, field) : "", message }));
}

function whereOf({ index, name }: NonNullable<FieldError["site"]>, field: string): string {
  return `${name ?? `Site ${index + 1}`}, ${labelOf(field)}:`;
}

/** What is wrong with a file, above its mistakes. */
export function headingOf(trouble: string, errors: readonly FieldError[]): string {
  return errors.some((error) => error.field === "body" && !error.site) ? "This is no site file. Nothing was changed." : trouble;
}
