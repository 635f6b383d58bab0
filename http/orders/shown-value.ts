const MAX_SHOWN = 64;

/**
 * A bad value as an error message shows it: short, quoted, and without what may be a credential: a web address that was
 * put into the wrong field is only called one, and whatever follows a question mark is cut.
 */
export function shownValue(value: unknown): string {
  if (typeof value === 'string') return shownText(value);
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'an object';
  return String(value);
}

function shownText(text: string): string {
  if (text.includes('://')) return 'a URL';
  const shown = text.replace(/\?.*$/s, '?…');
  return JSON.stringify(shown.length > MAX_SHOWN ? `${shown.slice(0, MAX_SHOWN)}…` : shown);
}
