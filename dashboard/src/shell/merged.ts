/**
 * What is new, before what was known already. `null` when they have nothing in common: then it is not known
 * what is between them.
 */
export function merged<T>(fresh: readonly T[], known: readonly T[], keyOf: (item: T) => string): T[] | null {
  const keys = new Set(fresh.map(keyOf));
  const older = known.filter((item) => !keys.has(keyOf(item)));
  const meet = older.length < known.length || known.length === 0;
  return meet ? [...fresh, ...older] : null;
}
