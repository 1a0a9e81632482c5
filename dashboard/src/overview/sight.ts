// Which timelines to ask for: those in sight that are not there yet, or that are old.

/** Most that the API answers at once. */
export const MOST = 200;
/** A timeline changes slowly: only the running step does. */
export const RENEW_MS = 60_000;

/** `asked` says when a site was asked for last; `undefined` when it was not. */
export function wanted(inSight: readonly number[], asked: (site: number) => number | undefined, now: number): number[] {
  const old = inSight.filter((site) => {
    const at = asked(site);
    return at === undefined || now - at >= RENEW_MS;
  });
  return old.slice(0, MOST);
}
