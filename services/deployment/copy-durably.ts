import { dirname } from 'node:path';
import {
  copyToNewFile,
  openForReading,
  removeFile,
  renameFile,
  setOwnerAndMode,
  syncFile,
  syncFolder,
} from '../disk.js';

/** Where a copy comes into being, until it is whole. */
export function temporaryCopy(path: string): string {
  return `${path}.tope-copy`;
}

/** A durable copy of a file under a name that holds it wholly or is not there, with another's owner and mode (or null). */
export async function copyDurably(
  from: string,
  to: string,
  like: { uid: number; gid: number; mode: number } | null,
): Promise<void> {
  const temporary = temporaryCopy(to);
  await removeFile('commit.localCopy', temporary);
  await copyToNewFile('commit.localCopy', from, temporary);
  // To be read is enough, and works for a file that its own mode forbids to write.
  const file = await openForReading(temporary);
  try {
    if (like !== null) await setOwnerAndMode('commit.localCopy', file, like);
    await syncFile('commit.sync', file);
  } finally {
    await file.close();
  }
  await renameFile('commit.localCopy', temporary, to);
  await syncFolder('commit.sync', dirname(to));
}
