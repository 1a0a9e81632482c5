// Values that are shown only to whoever may change sites.

import type { Site } from "./schema";

/** What the API says in place of a value. */
const HIDDEN = '"[hidden]"';

/** Whether something of a site is kept from the viewer, who then may not change it. */
export function hidesSomething(site: Site): boolean {
  return JSON.stringify(site).includes(HIDDEN);
}
