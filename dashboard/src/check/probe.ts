// A check that is made now, from where the API runs; nothing of it is stored.

import { send } from "../api/client";
import type { Probe, Site } from "../api/schema";
import { session } from "../shell/session.svelte";

/** A check takes as long as its timeout and all its attempts. */
const PATIENCE_MS = 15 * 60_000;

/** Checks a site as it is said here, be it monitored or not. */
export async function probe(site: Site | Record<string, unknown>, stop: AbortSignal): Promise<Probe> {
  const signal = AbortSignal.any([stop, AbortSignal.timeout(PATIENCE_MS)]);
  const { body } = await send<Probe>("POST", "/api/v1/probe", session.token, { body: site }, signal);
  if (body === null) throw new TypeError("an answer without a check");
  return body;
}
