import type { Snapshot } from 'xstate';

function isSnapshot(value: unknown): value is Snapshot<unknown> {
  return typeof value === 'object' && value !== null && 'status' in value;
}

/** A snapshot from its JSON text. */
export function readSnapshot(text: string): Snapshot<unknown> {
  const value: unknown = JSON.parse(text);
  if (!isSnapshot(value)) throw new Error('not a snapshot');
  return value;
}
