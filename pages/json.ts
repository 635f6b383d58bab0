/** What stands at a path in parsed JSON; undefined where nothing does. */
export function fieldAt(json: unknown, ...path: readonly string[]): unknown {
  let value = json;
  for (const name of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = new Map(Object.entries<unknown>({ ...value })).get(name);
  }
  return value;
}

/** The same as text; '' where no text stands there. */
export function textAt(json: unknown, ...path: readonly string[]): string {
  const value = fieldAt(json, ...path);
  return typeof value === 'string' ? value : '';
}

/** The same as a number; 0 where none stands there. */
export function numberAt(json: unknown, ...path: readonly string[]): number {
  const value = fieldAt(json, ...path);
  return typeof value === 'number' ? value : 0;
}

/** The same as a list; an empty one where none stands there. */
export function listAt(json: unknown, ...path: readonly string[]): unknown[] {
  const value = fieldAt(json, ...path);
  const list: unknown[] = Array.isArray(value) ? value : [];
  return list;
}
