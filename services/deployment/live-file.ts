import { lstat } from 'node:fs/promises';
import { UpdateError } from '../../machines/errors.js';
import { isSystemError } from '../disk.js';
import { sha256OfFile } from './content.js';
import type { Attributes } from './attributes.js';
import type { FoundFile } from './operation.js';

/** A regular file's stat, exact enough to tell whether it was written since. */
export interface FileStat {
  /** As text: an inode number need not fit a number (overlayfs uses its highest bits). */
  ino: string;
  size: number;
  mode: number;
  uid: number;
  gid: number;
  links: number;
  mtimeNs: string;
  ctimeNs: string;
}

/**
 * The stat of the regular file at a path, or null where nothing is. Throws DEPLOYMENT_FAILED where something else
 * stands: only regular files are replaced.
 */
export async function statFile(path: string): Promise<FileStat | null> {
  try {
    const stat = await lstat(path, { bigint: true });
    if (!stat.isFile()) {
      throw new UpdateError('DEPLOYMENT_FAILED', `${path} is ${kindOf(stat)}, a regular file was expected`);
    }
    return {
      ino: stat.ino.toString(),
      size: Number(stat.size),
      mode: Number(stat.mode) & 0o7777,
      uid: Number(stat.uid),
      gid: Number(stat.gid),
      links: Number(stat.nlink),
      mtimeNs: stat.mtimeNs.toString(),
      ctimeNs: stat.ctimeNs.toString(),
    };
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return null;
    throw error;
  }
}

/** Which inode a path leads to, as `device:inode`; null where nothing is. Any kind of file, no symlink followed. */
export async function inodeAt(path: string): Promise<string | null> {
  try {
    const { dev, ino } = await lstat(path, { bigint: true });
    return `${dev}:${ino}`;
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return null;
    throw error;
  }
}

/** The record of a file whose stat was taken just before: its content is hashed now. */
export async function recordFile(
  path: string,
  stat: FileStat,
  xattrs: Attributes,
  signal?: AbortSignal,
): Promise<FoundFile> {
  const { ino, size, mode, uid, gid, mtimeNs, ctimeNs } = stat;
  return { sha256: await sha256OfFile(path, signal), size, mode, uid, gid, xattrs, ino, mtimeNs, ctimeNs };
}

/** Whether a file was written, replaced or changed in any other way since it was recorded. */
export function isUntouched(found: FoundFile, stat: FileStat): boolean {
  return (
    found.ino === stat.ino &&
    found.size === stat.size &&
    found.mtimeNs === stat.mtimeNs &&
    found.ctimeNs === stat.ctimeNs
  );
}

function kindOf(stat: {
  isDirectory(): boolean;
  isSymbolicLink(): boolean;
  isFIFO(): boolean;
  isSocket(): boolean;
}): string {
  if (stat.isDirectory()) return 'a folder';
  if (stat.isSymbolicLink()) return 'a symlink';
  if (stat.isFIFO()) return 'a FIFO';
  return stat.isSocket() ? 'a socket' : 'a device';
}
