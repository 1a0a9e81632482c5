// Two people have changed a site: what each of them did.

import { LISTS, PAIRS, TEXTS, type FieldName } from "./fields";
import { shownOf, type Form } from "./form";

export interface Difference {
  field: FieldName;
  before: string;
  theirs: string;
  mine: string;
  /** Both have changed it, and not to the same. */
  clashes: boolean;
}

/** The fields of which the form would undo what somebody else has done, or is not like it. */
export function differences(before: Form, theirs: Form, mine: Form): Difference[] {
  return [...TEXTS, ...LISTS, ...PAIRS].flatMap((field) => {
    const [old, other, own] = [shownOf(before, field), shownOf(theirs, field), shownOf(mine, field)];
    if (other === own) return [];
    return [{ field, before: old, theirs: other, mine: own, clashes: old !== other && old !== own }];
  });
}

/** What both have changed, together; where they clash, it is mine. */
export function merged(before: Form, theirs: Form, mine: Form): Form {
  const isMine = (field: FieldName) => shownOf(before, field) !== shownOf(mine, field);
  const form = structuredClone(theirs);
  for (const field of TEXTS) if (isMine(field)) form.texts[field] = mine.texts[field];
  for (const field of LISTS) if (isMine(field)) form.lists[field] = [...mine.lists[field]];
  for (const field of PAIRS) if (isMine(field)) form.pairs[field] = mine.pairs[field].map((pair) => ({ ...pair }));
  return form;
}
