import { constants, type Stats } from 'node:fs';
import {
  chmod,
  copyFile,
  link,
  lstat,
  mkdir,
  open,
  readFile,
  rename,
  rm,
  rmdir,
  unlink,
  type FileHandle,
} from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { reach, step, type StepName } from './steps.js';

/**
 * Every change that the updater makes to a file system. Lint forbids the calls of node:fs that change something
 * everywhere else, so that each change is a named step. Errors are node's own (ENOSPC, EROFS, …).
 */

/** Whether a thrown thing is a system error with one of these codes (none given: with any). */
export function isSystemError(thrown: unknown, ...codes: string[]): thrown is NodeJS.ErrnoException {
  return (
    thrown instanceof Error &&
    'code' in thrown &&
    typeof thrown.code === 'string' &&
    (codes.length === 0 ? 'syscall' in thrown : codes.includes(thrown.code))
  );
}

/** What is at a path, not following a last symlink; null where nothing is. */
export async function look(path: string): Promise<Stats | null> {
  try {
    return await lstat(path);
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return null;
    throw error;
  }
}

/** A file's text, or null where there is no such file. */
export async function readText(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return null;
    throw error;
  }
}

/** Puts a file or folder at another path of the same file system, in place of a file there. Not durable by itself. */
export function renameFile(name: StepName, from: string, to: string): Promise<void> {
  return step(name, () => rename(from, to));
}

/** Gives a file one more name. Throws EEXIST where something is there. */
export function linkFile(name: StepName, existing: string, path: string): Promise<void> {
  return step(name, () => link(existing, path));
}

/** Removes a file; one that is gone already is as good, with its folder or without. */
export async function removeFile(name: StepName, path: string): Promise<void> {
  await step(name, async () => {
    try {
      await unlink(path);
    } catch (error) {
      if (!isSystemError(error, 'ENOENT', 'ENOTDIR')) throw error;
    }
  });
}

/** Removes a folder with everything below it; one that is gone already is as good. */
export function removeTree(name: StepName, path: string): Promise<void> {
  return step(name, () => rm(path, { recursive: true, force: true }));
}

/** Removes a folder if it is one, and empty; tells whether it did. */
export function removeEmptyFolder(name: StepName, path: string): Promise<boolean> {
  return step(name, async () => {
    try {
      await rmdir(path);
      return true;
    } catch (error) {
      if (isSystemError(error, 'ENOTEMPTY', 'EEXIST', 'ENOENT', 'ENOTDIR', 'EBUSY')) return false;
      throw error;
    }
  });
}

/** Makes one folder with exactly this mode; tells whether it was not there. */
export function makeFolder(name: StepName, path: string, mode: number): Promise<boolean> {
  return step(name, async () => {
    try {
      await mkdir(path);
    } catch (error) {
      if (isSystemError(error, 'EEXIST') && (await lstat(path)).isDirectory()) return false;
      throw error;
    }
    await chmod(path, mode);
    return true;
  });
}

/** Gives a folder exactly this mode where it has another; tells whether it had. */
export async function setFolderMode(name: StepName, path: string, mode: number): Promise<boolean> {
  if (((await lstat(path)).mode & 0o7777) === mode) return false;
  await step(name, () => chmod(path, mode));
  return true;
}

/** Makes a folder and those above it that are missing; tells which were made, outermost first. */
export async function makeFolders(name: StepName, path: string, mode: number): Promise<string[]> {
  const missing: string[] = [];
  for (let at = path; (await look(at)) === null; at = dirname(at)) missing.unshift(at);
  for (const folder of missing) await makeFolder(name, folder, mode);
  return missing;
}

/** Opens a file to be read; never through a symlink in its last component, never waiting for a FIFO's other end. */
export function openForReading(path: string): Promise<FileHandle> {
  return open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
}

/** Opens a file to be written to; never through a symlink in its last component. */
export function openForWriting(
  name: StepName,
  path: string,
  flags: number,
  mode: number,
): Promise<FileHandle> {
  return step(name, () => open(path, flags | constants.O_NOFOLLOW, mode));
}

/** A copy in an inode of its own (a reflink where the file system can). The target must not exist. */
export function copyToNewFile(name: StepName, from: string, to: string): Promise<void> {
  return step(name, () => copyFile(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE));
}

/** Owner first, then mode: chown takes set-id bits away, and a wrong owner must never have the final mode. */
export function setOwnerAndMode(
  name: StepName,
  file: FileHandle,
  { uid, gid, mode }: { uid: number; gid: number; mode: number },
): Promise<void> {
  return step(name, async () => {
    const now = await file.stat();
    if (now.uid !== uid || now.gid !== gid) await file.chown(uid, gid);
    await file.chmod(mode);
  });
}

/** Makes an open file's contents durable. */
export function syncFile(name: StepName, file: FileHandle): Promise<void> {
  return step(name, () => file.sync());
}

/** Makes the names in a folder durable. */
export function syncFolder(name: StepName, path: string): Promise<void> {
  return step(name, () => syncFolderAt(path));
}

async function syncFolderAt(path: string): Promise<void> {
  await syncAndClose(await open(path, constants.O_RDONLY));
}

/** Makes a file's contents durable; never through a symlink in its last component. */
export function syncFileAt(name: StepName, path: string): Promise<void> {
  return step(name, async () => syncAndClose(await openForReading(path)));
}

async function syncAndClose(handle: FileHandle): Promise<void> {
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Writes a file that must survive a power cut: temporary beside it, fsync, rename over it, fsync of the folder. Whoever
 * reads it sees the old contents or the new ones, never a part. Pieces are written one after the other. Throws node's
 * error, with the old file in place unless only the folder could not be synced.
 */
export async function writeDurably(
  name: StepName,
  path: string,
  contents: string | Uint8Array | readonly Uint8Array[],
  mode = 0o644,
): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.tmp`);
  reach(name, 'before');
  await rm(temporary, { force: true, recursive: true });
  const file = await open(temporary, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, mode);
  try {
    await file.chmod(mode);
    for (const piece of isPieces(contents) ? contents : [contents]) await file.writeFile(piece);
    await file.sync();
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  } finally {
    await file.close();
  }
  reach(name, 'written');
  try {
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  reach(name, 'renamed');
  await syncFolderAt(dirname(path));
  reach(name, 'after');
}

function isPieces(contents: string | Uint8Array | readonly Uint8Array[]): contents is readonly Uint8Array[] {
  return Array.isArray(contents);
}

/**
 * Overwrites parts of an existing, preallocated file, each durable before the next is begun. Needs no new room on the
 * disk; a cut may leave the piece that is being written torn, so its reader must be able to tell.
 */
export function writeInPlace(
  name: StepName,
  path: string,
  pieces: readonly { bytes: Uint8Array; at: number }[],
): Promise<void> {
  return step(name, async () => {
    const file = await open(path, constants.O_WRONLY | constants.O_NOFOLLOW);
    try {
      for (const { bytes, at } of pieces) {
        for (let done = 0; done < bytes.length;) {
          const { bytesWritten } = await file.write(bytes, done, bytes.length - done, at + done);
          done += bytesWritten;
        }
        await file.datasync();
      }
    } finally {
      await file.close();
    }
  });
}
