import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { savedState } from '../compiled-checks.js';

/** The layout of the saved state; a change of it needs a migration. */
export const SCHEMA = 1;

/** How often in a row the machine was restored in one top-level state without getting on. */
export interface Restores {
  state: string;
  count: number;
  /** Bytes of the partial at the last restore: a download that brings bytes is getting on. */
  bytes: number;
}

export const NO_RESTORES: Restores = { state: '', count: 0, bytes: 0 };

/** The count as it stands when the machine was restored once more, with so many bytes of the package on disk. */
export function restoredOnce(before: Restores, state: string, bytes: number): Restores {
  const isStuck = before.state === state && bytes <= before.bytes;
  return { state, count: isStuck ? before.count + 1 : 1, bytes };
}

/** What tmp/state.json holds: the machine's own persisted snapshot, in an envelope that tells whether it is whole. */
export interface SavedState {
  schema: number;
  /** ISO 8601. */
  savedAt: string;
  /** SHA-256 over the other fields, lower-case hex. */
  checksum: string;
  restores: Restores;
  snapshot: unknown;
}

/** Whether a parsed JSON value is a saved state; `savedState.errors` tells why not. */
export function isSavedState(value: unknown): value is SavedState {
  return savedState(value);
}

/** Where the state lies; the one before it lies beside. */
export function statePaths(tmpDir: string): { state: string; backup: string } {
  return { state: join(tmpDir, 'state.json'), backup: join(tmpDir, 'state.json.bak') };
}

/** The text of a state file. */
export function encodeState(snapshot: unknown, restores: Restores, savedAt: string): string {
  const body = { schema: SCHEMA, savedAt, restores, snapshot };
  return `${JSON.stringify({ ...body, checksum: checksumOf(body) })}\n`;
}

/** The checksum of a state, over everything but itself. */
export function checksumOf({ schema, savedAt, restores, snapshot }: Omit<SavedState, 'checksum'>): string {
  return createHash('sha256')
    .update(JSON.stringify([schema, savedAt, restores, snapshot]))
    .digest('hex');
}
