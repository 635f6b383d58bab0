import { dirname } from 'node:path';
import { copyToNewFile, isSystemError, removeFile, renameFile, syncFolder } from '../disk.js';
import { finishFile, type OwnerAndMode } from './finish-file.js';

/** Where a copy comes into being, until it is whole. */
export function temporaryCopy(path: string): string {
  return `${path}.tope-copy`;
}

/** A durable copy of a file under a name that holds it wholly or is not there, with another's owner and mode (or null). */
export async function copyDurably(from: string, to: string, like: OwnerAndMode | null): Promise<void> {
  const temporary = temporaryCopy(to);
  await removeFile('commit.localCopy', temporary);
  try {
    await copyToNewFile('commit.localCopy', from, temporary);
    await finishFile(temporary, like, { attributes: 'commit.localCopy', sync: 'commit.sync' });
  } catch (error) {
    if (isSystemError(error)) await removeFile('commit.localCopy', temporary);
    throw error;
  }
  await renameFile('commit.localCopy', temporary, to);
  await syncFolder('commit.sync', dirname(to));
}
