import { stat } from 'node:fs/promises';
import { UpdateError } from '../../machines/errors.js';
import { isSystemError } from '../disk.js';
import type { Journal } from './journal.js';

/**
 * Throws DEPLOYMENT_FAILED where a root is not the journaled folder: it is not mounted, what stands there must not be
 * touched, and a file that is not there must not count as done or undone.
 */
export async function needMountedRoots({ body }: Journal): Promise<void> {
  for (const { path, ino } of body.roots) {
    const now = await inodeOf(path);
    if (now !== ino)
      throw new UpdateError(
        'DEPLOYMENT_FAILED',
        `${path} is not the folder of the journal (inode ${now ?? 'none'}, ${ino} expected): is it mounted?`,
      );
  }
}

async function inodeOf(path: string): Promise<number | null> {
  try {
    return (await stat(path)).ino;
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return null;
    throw error;
  }
}
