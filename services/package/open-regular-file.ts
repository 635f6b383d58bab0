import type { FileHandle } from 'node:fs/promises';
import { isSystemError, openForReading } from '../disk.js';

/** At a path where a regular file was expected stands a symlink, a folder, a device, a FIFO or a socket. */
export class NotARegularFile extends Error {
  override readonly name = 'NotARegularFile';

  constructor(path: string) {
    super(`${path} is not a regular file`);
  }
}

/**
 * Opens a regular file to be read. Never follows a symlink in the last component, and never waits for the other end of
 * a FIFO. Throws NotARegularFile, or node's own error (ENOENT, EACCES, …).
 */
export async function openRegularFile(path: string): Promise<{ file: FileHandle; size: number }> {
  const file = await openWithoutFollowing(path);
  try {
    const stats = await file.stat();
    if (!stats.isFile()) throw new NotARegularFile(path);
    return { file, size: stats.size };
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function openWithoutFollowing(path: string): Promise<FileHandle> {
  try {
    return await openForReading(path);
  } catch (error) {
    // ELOOP: a symlink (open(2), O_NOFOLLOW); ENXIO: a socket, or a device that nobody serves.
    if (isSystemError(error, 'ELOOP', 'ENXIO')) throw new NotARegularFile(path);
    throw error;
  }
}
