import type { Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { isSystemError } from '../../services/disk.js';

/** Whoever may write to what the updater runs, or into its folders, may become root. */
export const WRITABLE_BY_OTHERS = 0o022;

/** What stands at a path, symlinks followed; null where nothing does. Rejects with node's error where it cannot be seen. */
export async function entryAt(path: string): Promise<Stats | null> {
  try {
    return await stat(path);
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return null;
    throw error;
  }
}
