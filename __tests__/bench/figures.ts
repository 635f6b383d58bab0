/** What was measured, what it may be, and whether it is; null where nothing is promised. */
export interface Row {
  what: string;
  seen: string;
  target: string;
  met: boolean | null;
  /** What measures this row alone. */
  command: string;
}

export const MIB = 1024 * 1024;
export const MB = 1_000_000;

/** The middle value; of an even count the higher one of the two. NaN of none. */
export function median(values: readonly number[]): number {
  return sorted(values)[Math.floor(values.length / 2)] ?? NaN;
}

/** The 99th of a hundred. NaN of none. */
export function p99(values: readonly number[]): number {
  return sorted(values)[Math.floor(0.99 * values.length)] ?? NaN;
}

function sorted(values: readonly number[]): number[] {
  return [...values].sort((a, b) => a - b);
}

/** The median with the range it was seen in: `1.20 s (1.10–1.40)`. */
export function figure(values: readonly number[], unit: string, digits = 1): string {
  const [middle, least, most] = [median(values), Math.min(...values), Math.max(...values)].map((value) =>
    value.toFixed(digits),
  );
  return `${middle ?? ''}${unit === '' ? '' : ` ${unit}`} (${least ?? ''}–${most ?? ''})`;
}

/** Each value of one list by that of the other in the same run. */
export function ratios(values: readonly number[], by: readonly number[]): number[] {
  return values.map((value, at) => value / (by[at] ?? NaN));
}

export function inMiB(bytes: readonly number[]): number[] {
  return bytes.map((value) => value / MIB);
}
