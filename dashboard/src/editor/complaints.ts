// What the API says of a site that it does not take, and beside which field that belongs.

import type { FieldError, Problem } from "../api/schema";
import { isField, labelOf, type FieldName } from "./fields";

export interface Complaint {
  /** `null` when the form has no place for it. */
  field: FieldName | null;
  /** What it is about, in the form's words. */
  label: string;
  message: string;
}

export function complaintsOf(problem: Problem): Complaint[] {
  if (problem.type.endsWith(":name-taken")) return [complaint("name", problem.detail)];
  const errors = problem.errors ?? [];
  // There, fields are those of the request: its body is not the body that a site sends.
  if (problem.status === 400) return errors.map(({ field, message }) => ({ field: null, label: field, message }));
  return fromErrors(errors);
}

export function fromErrors(errors: readonly FieldError[]): Complaint[] {
  return errors.map(({ field, message }) => complaint(field, message));
}

/** A field may be told with the part of it that is wrong, such as a header's name. */
function complaint(told: string, message: string): Complaint {
  const [field = "", ...part] = told.split(".");
  if (!isField(field)) return { field: null, label: told, message };
  return { field, label: labelOf(field), message: part.length > 0 ? `${part.join(".")}: ${message}` : message };
}

/** The messages of each field. */
export function byField(complaints: readonly Complaint[]): Partial<Record<FieldName, string>> {
  const messages: Partial<Record<FieldName, string>> = {};
  for (const { field, message } of complaints) {
    if (field === null) continue;
    const before = messages[field];
    messages[field] = before === undefined ? message : `${before}; ${message}`;
  }
  return messages;
}
