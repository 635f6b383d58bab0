/** What stands at a path in parsed JSON; undefined where nothing does. */
export function fieldOf(json: unknown, ...path: readonly string[]): unknown {
  let value = json;
  for (const name of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = new Map(Object.entries<unknown>({ ...value })).get(name);
  }
  return value;
}

/** The same as text; '' where nothing stands there. */
export function textOf(json: unknown, ...path: readonly string[]): string {
  const value = fieldOf(json, ...path);
  return typeof value === 'string' ? value : '';
}

/** The same as a number; NaN where none stands there. */
export function numberOf(json: unknown, ...path: readonly string[]): number {
  const value = fieldOf(json, ...path);
  return typeof value === 'number' ? value : NaN;
}
