/** The value of a JSON text; null, which fits no shape of ours, where it is none: the caller knows what to tell of it. */
export function jsonOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
