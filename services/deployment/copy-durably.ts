import { dirname } from 'node:path';
import {
  copyToNewFile,
  isSystemError,
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

interface Like {
  uid: number;
  gid: number;
  mode: number;
}

/** A durable copy of a file under a name that holds it wholly or is not there, with another's owner and mode (or null). */
export async function copyDurably(from: string, to: string, like: Like | null): Promise<void> {
  const temporary = temporaryCopy(to);
  await removeFile('commit.localCopy', temporary);
  try {
    await copyToNewFile('commit.localCopy', from, temporary);
    await finish(temporary, like);
  } catch (error) {
    if (isSystemError(error)) await removeFile('commit.localCopy', temporary);
    throw error;
  }
  await renameFile('commit.localCopy', temporary, to);
  await syncFolder('commit.sync', dirname(to));
}

async function finish(path: string, like: Like | null): Promise<void> {
  // To be read is enough, and works for a file that its own mode forbids to write.
  const file = await openForReading(path);
  try {
    if (like !== null) await setOwnerAndMode('commit.localCopy', file, like);
    await syncFile('commit.sync', file);
  } finally {
    await file.close();
  }
}
