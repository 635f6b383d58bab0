import { statfs } from 'node:fs/promises';
import { UpdateError } from '../machines/errors.js';

/** Bytes that stay free on a device's file systems, so that its services can go on writing. */
export const RESERVE_BYTES = 32 * 1024 * 1024;

/** Bytes that an unprivileged writer may still use on the file system of a folder (statvfs(3): f_bavail). */
export async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

/**
 * Throws DISK_FULL, with needed and available bytes, where a file system has not enough room; `prune` is asked for more
 * first.
 */
export async function needRoom(folder: string, needed: number, prune: () => Promise<void>): Promise<void> {
  if ((await freeBytes(folder)) >= needed) return;
  await prune();
  if ((await freeBytes(folder)) < needed) throw await noRoom(folder, needed);
}

/** DISK_FULL with needed and available bytes. */
export async function noRoom(folder: string, needed: number, cause?: unknown): Promise<UpdateError> {
  const available = await freeBytes(folder);
  return new UpdateError('DISK_FULL', `${needed} bytes are needed in ${folder}, ${available} are available`, {
    cause,
  });
}
