/** The form of a version: three numbers a.b.c without leading zeros, as a regular expression (wire contract). */
export const VERSION_PATTERN = '^(0|[1-9]\\d*)\\.(0|[1-9]\\d*)\\.(0|[1-9]\\d*)$';

/** Bytes that a version may have (wire contract). */
export const LONGEST_VERSION = 32;

/** How an installation is told that no package brought. */
export const AS_FOUND_VERSION = '0.0.0';

const VERSION = new RegExp(VERSION_PATTERN);

/** Whether an order could name this version. */
export function isVersion(text: string): boolean {
  return text.length <= LONGEST_VERSION && VERSION.test(text);
}

/** Numeric order of two versions of the form a.b.c: negative, 0 or positive. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [a.split('.').map(Number), b.split('.').map(Number)];
  for (let i = 0; i < 3; i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
