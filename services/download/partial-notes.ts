import { isSamePackage, type PackageIdentity } from '../../machines/package-order.js';
import { readText, writeDurably } from '../disk.js';
import { isJsonObject } from '../json-object.js';
import { partialNotesPath } from '../work-folder.js';
import type { Validator } from './validator.js';

/** What must be known of a partial before one more byte may be put behind it. */
export interface PartialNotes {
  identity: PackageIdentity;
  /** The file on the server that the bytes are from; null where the server names none. */
  validator: Validator | null;
  /** So many bytes survive a power cut. */
  syncedBytes: number;
  /** In this boot nothing that was written is lost, synced or not. */
  bootId: string;
}

/** Reads the notes of a package's partial; null where they are missing, damaged or another package's. */
export async function readNotes(tmpDir: string, identity: PackageIdentity): Promise<PartialNotes | null> {
  const text = await readText(partialNotesPath(tmpDir, identity));
  const notes = text === null ? null : parse(text);
  return notes !== null && isSamePackage(notes.identity, identity) ? notes : null;
}

/** Replaces the notes durably. */
export function writeNotes(tmpDir: string, notes: PartialNotes): Promise<void> {
  const path = partialNotesPath(tmpDir, notes.identity);
  return writeDurably('partial.note', path, `${JSON.stringify(notes)}\n`, 0o600);
}

function parse(text: string): PartialNotes | null {
  try {
    const value: unknown = JSON.parse(text);
    return isNotes(value) ? value : null;
  } catch {
    return null;
  }
}

function isNotes(value: unknown): value is PartialNotes {
  return (
    isJsonObject(value) &&
    isIdentity(value['identity']) &&
    (value['validator'] === null || isValidator(value['validator'])) &&
    isCount(value['syncedBytes']) &&
    typeof value['bootId'] === 'string'
  );
}

function isIdentity(value: unknown): value is PackageIdentity {
  return (
    isJsonObject(value) &&
    typeof value['version'] === 'string' &&
    typeof value['md5'] === 'string' &&
    isCount(value['size'])
  );
}

function isValidator(value: unknown): value is Validator {
  return (
    isJsonObject(value) &&
    (value['header'] === 'etag' || value['header'] === 'last-modified') &&
    typeof value['value'] === 'string'
  );
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}
