import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { isSystemError } from '../disk.js';
import { BadMinisignForm, parsePublicKey, type PublicKey } from './minisign.js';

const REVOKED = 'revoked';

/** The public keys that a device knows, read anew for each package so that a key can be added or revoked at any time. */
export interface KeyFolder {
  keys: PublicKey[];
  /** Ids of keys that must not be believed any more. */
  revoked: string[];
  /** Files that are no public keys, with the reason. */
  unreadable: { path: string; reason: string; isRevocation: boolean }[];
}

/**
 * Reads the `.pub` files of a key folder and the keys in `revoked/` below it, which count by whatever name (but for hidden
 * files): a revocation must not be overlooked. A folder that is missing is empty. Throws node's own error where one cannot
 * be read.
 */
export async function readKeyFolder(folder: string): Promise<KeyFolder> {
  const known = await readKeys(folder, (name) => name.endsWith('.pub'));
  const gone = await readKeys(join(folder, REVOKED), (name) => !name.startsWith('.'));
  return {
    keys: known.keys,
    revoked: gone.keys.map((key) => key.id),
    unreadable: [
      ...known.unreadable.map((file) => ({ ...file, isRevocation: false })),
      ...gone.unreadable.map((file) => ({ ...file, isRevocation: true })),
    ],
  };
}

interface ReadKeys {
  keys: PublicKey[];
  unreadable: { path: string; reason: string }[];
}

async function readKeys(folder: string, isKey: (name: string) => boolean): Promise<ReadKeys> {
  const found: ReadKeys = { keys: [], unreadable: [] };
  for (const name of (await namesIn(folder)).filter(isKey)) {
    const path = join(folder, name);
    try {
      found.keys.push(parsePublicKey(await readFile(path)));
    } catch (error) {
      if (!(error instanceof BadMinisignForm)) throw error;
      found.unreadable.push({ path, reason: `${basename(path)}: ${error.message}` });
    }
  }
  return found;
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return [];
    throw error;
  }
}
