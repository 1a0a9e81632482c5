// What is in the form, and the site that it stands for.

import type { FieldError, Site } from "../api/schema";
import { isField, LISTS, PAIRS, specOf, TEXTS, type FieldName, type ListField, type PairField, type Spec, type TextField } from "./fields";

export interface Pair {
  name: string;
  value: string;
}

export interface Form {
  texts: Record<TextField, string>;
  lists: Record<ListField, string[]>;
  pairs: Record<PairField, Pair[]>;
  /** Fields that the form has no place for: they are kept as they are. */
  rest: Record<string, unknown>;
}

/** The fields of a site, as they are sent. */
export type Fields = Record<string, unknown>;

const UNITS = [["MiB", 1 << 20], ["KiB", 1 << 10]] as const;

export function emptyForm(): Form {
  const all = <Name extends string, Value>(names: readonly Name[], value: () => Value) =>
    Object.fromEntries(names.map((name) => [name, value()])) as Record<Name, Value>;
  return { texts: all(TEXTS, () => ""), lists: all(LISTS, () => []), pairs: all(PAIRS, () => []), rest: {} };
}

/** The form of a site, as the API has written it. */
export function formOf(site: Site): Form {
  const form = emptyForm();
  const fields = site as Fields;
  for (const name of TEXTS) form.texts[name] = textOf(name, fields[name]);
  for (const name of LISTS) form.lists[name] = [...(site[name] ?? [])];
  for (const name of PAIRS) form.pairs[name] = Object.entries(site[name] ?? {}).map(([name, value]) => ({ name, value }));
  form.rest = Object.fromEntries(Object.entries(fields).filter(([name]) => !isField(name)));
  return form;
}

function textOf(name: TextField, value: unknown): string {
  if (value == null) return "";
  if (Array.isArray(value)) return value.join(",");
  const isBytes = name === "body_limit" && typeof value === "number";
  const text = isBytes ? bytes(value) : String(value);
  const spec = specOf(name);
  const hasChoice = spec?.kind === "choice" || spec?.kind === "switch";
  return hasChoice && text === spec.usual ? "" : text;
}

function bytes(count: number): string {
  const unit = UNITS.find(([, size]) => count > 0 && count % size === 0);
  return unit ? `${count / unit[1]}${unit[0]}` : String(count);
}

/** The site of a form. What is empty is left out: the API knows what counts then. */
export function siteOf(form: Form): Fields {
  const fields: Fields = { ...form.rest };
  for (const name of TEXTS) {
    const value = valueOf(name, form.texts[name]);
    if (value !== "") fields[name] = value;
  }
  for (const name of LISTS) {
    const items = form.lists[name].filter((item) => item.trim() !== "");
    if (items.length > 0) fields[name] = items;
  }
  for (const name of PAIRS) {
    const pairs = form.pairs[name].filter((pair) => !isBlank(pair));
    if (pairs.length > 0) fields[name] = Object.fromEntries(pairs.map((pair) => [pair.name.trim(), pair.value]));
  }
  return fields;
}

/** What is no number stays a text: the API says best what it expects. */
function valueOf(name: TextField, text: string): string | number | boolean {
  const kind = specOf(name)?.kind;
  if (kind === "pattern" || kind === "block") return text;
  const word = text.trim();
  if (kind === "switch") return word === "" ? "" : word === "true";
  const isNumber = kind === "number" || name === "body_limit";
  return isNumber && /^\d{1,15}$/.test(word) ? Number(word) : word;
}

function isBlank(pair: Pair): boolean {
  return pair.name.trim() === "" && pair.value === "";
}

/** What cannot even be sent: an object has each name once. */
export function unsendable(form: Form): FieldError[] {
  return PAIRS.flatMap((field) => {
    const names = form.pairs[field].filter((pair) => !isBlank(pair)).map((pair) => pair.name.trim());
    const double = names.find((name, index) => name !== "" && names.indexOf(name) !== index);
    if (names.includes("")) return [{ field, message: "a value has no name" }];
    return double === undefined ? [] : [{ field, message: `${double} is there twice` }];
  });
}

/** The labels of the fields that say something else than what counts anyway, for a group that is closed. */
export function told(form: Form, specs: readonly Spec[]): string {
  const said = specs.filter(({ name, usual = "" }) => !["", usual].includes(shownOf(form, name)));
  return said.map((spec) => spec.label).join(", ");
}

/** A field as one text, to be compared and to be read. */
export function shownOf(form: Form, name: FieldName): string {
  const value = siteOf(form)[name];
  if (value === undefined) return "";
  if (Array.isArray(value)) return value.join("\n");
  if (typeof value === "object" && value !== null) {
    return Object.entries(value).map(([name, value]) => `${name}: ${String(value)}`).toSorted().join("\n");
  }
  return name === "body_limit" ? form.texts.body_limit.trim() : String(value);
}
