import { lstat, readFile, realpath } from 'node:fs/promises';
import { basename, dirname, join, sep } from 'node:path';
import { UpdateError } from '../../machines/errors.js';
import { isSystemError, look } from '../disk.js';

/** Where an update may write, and the folders of ours inside it where it may not. */
export interface Territory {
  /** The managed root and the extra ones, as configured. */
  roots: readonly string[];
  /** The store, the work folder. */
  forbidden: readonly string[];
}

/** Whether a path is a folder or lies below it. */
export function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

/**
 * Where folders lead, found out once each: for many paths that are resolved at one moment. What is kept longer is stale.
 */
export type FoldersSeen = Map<string, Promise<string>>;

/**
 * The real path that a `dst` leads to: symlinks on the way and at the end are followed as long as they stay inside its
 * root. Throws DEPLOYMENT_FAILED for a dangling one, one that leads out, or one that leads into a folder of ours.
 */
export async function resolveTarget(
  asked: string,
  { roots, forbidden }: Territory,
  seen: FoldersSeen = new Map(),
): Promise<string> {
  const root = roots.filter((candidate) => isWithin(asked, candidate)).sort((a, b) => b.length - a.length)[0];
  if (root === undefined) {
    throw new UpdateError('DEPLOYMENT_FAILED', `${asked} lies in none of the roots ${roots.join(', ')}`);
  }
  const path = await realPathOf(asked, seen);
  const realRoot = await folderOf(root, seen);
  if (path === realRoot || !isWithin(path, realRoot)) {
    throw new UpdateError('DEPLOYMENT_FAILED', `${asked} leads to ${path}, outside its root ${realRoot}`);
  }
  for (const folder of forbidden) {
    if (isWithin(path, await folderOf(folder, seen))) {
      throw new UpdateError(
        'DEPLOYMENT_FAILED',
        `${asked} leads to ${path}, inside the updater's own ${folder}`,
      );
    }
  }
  return path;
}

/**
 * Where a recorded path, which was a real one, leads by now, but for a symlink in its last component. Throws
 * DEPLOYMENT_FAILED where a symlink on the way is dangling.
 */
export async function folderFollowed(path: string, seen: FoldersSeen = new Map()): Promise<string> {
  return join(await folderOf(dirname(path), seen), basename(path));
}

/** The real path of what is, or would be, at a path. */
async function realPathOf(path: string, seen: FoldersSeen): Promise<string> {
  const parent = dirname(path);
  if (parent === path) return path;
  const entry = await look(path);
  if (entry?.isSymbolicLink() === true) return followed(path);
  return join(await folderOf(parent, seen), basename(path));
}

function folderOf(path: string, seen: FoldersSeen): Promise<string> {
  const known = seen.get(path) ?? realPathOf(path, seen);
  seen.set(path, known);
  return known;
}

async function followed(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ELOOP')) {
      throw new UpdateError('DEPLOYMENT_FAILED', `the symlink ${path} is dangling`);
    }
    throw error;
  }
}

/** Mount points of this process, longest first: link(2) and rename(2) work only within one (proc_pid_mountinfo(5)). */
export async function readMountPoints(): Promise<string[]> {
  const lines = (await readFile('/proc/self/mountinfo', 'utf8')).split('\n').filter((line) => line !== '');
  return lines
    .map((line) =>
      (line.split(' ')[4] ?? '/').replace(/\\([0-7]{3})/g, (_, octal: string) => octalCharacter(octal)),
    )
    .sort((a, b) => b.length - a.length);
}

/** The mount point that a real path lies on. */
export function mountPointOf(path: string, mountPoints: readonly string[]): string {
  return mountPoints.find((point) => isWithin(path, point)) ?? sep;
}

/** The folders above a path that are missing, outermost first. Throws DEPLOYMENT_FAILED where a file stands in the way. */
export async function missingFolders(path: string): Promise<string[]> {
  const missing: string[] = [];
  for (let at = dirname(path); ; at = dirname(at)) {
    try {
      const entry = await lstat(at);
      if (entry.isDirectory()) return missing;
      throw new UpdateError('DEPLOYMENT_FAILED', `${at} is a file, a folder was expected`);
    } catch (error) {
      if (isSystemError(error, 'ENOTDIR')) continue;
      if (!isSystemError(error, 'ENOENT')) throw error;
      missing.unshift(at);
    }
  }
}

function octalCharacter(octal: string): string {
  return String.fromCharCode(parseInt(octal, 8));
}
