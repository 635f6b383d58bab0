import { dirname } from 'node:path';
import { UpdateError } from '../../machines/errors.js';
import {
  isSystemError,
  linkFile,
  look,
  makeFolders,
  removeEmptyFolder,
  removeFile,
  renameFile,
  syncFolder,
} from '../disk.js';
import type { Log } from '../log/log.js';
import { moveObstacleBeside } from './clear-the-way.js';
import { sha256OfFile } from './content.js';
import { freeNameBeside } from './kept-beside.js';
import type { Journal } from './journal.js';
import { inodeAt, statFile } from './live-file.js';
import type { Operation } from './operation.js';
import type { Store } from './store.js';
import { syncTouched } from './apply-switch.js';
import { undoCopies } from './undo-commit.js';

/**
 * Brings every path back to what it was, in reverse, from whatever was done of the switch. May be cut and called again:
 * the held old file tells for each path whether it was undone. Needs no new room on the disk. Whatever the new version
 * made of a path or of the folders above it does not hold it up: that is moved beside, and missing folders are made. A
 * path that cannot be brought back all the same does not keep the others: throws at the end (the first error).
 */
export async function undoSwitch(journal: Journal, store: Store, log: Log): Promise<void> {
  const { operations, newFolders, oldFolders, to } = journal.body;
  const failures: Error[] = [];
  const tryTo = async (path: string, work: () => Promise<unknown>) => {
    try {
      await work();
    } catch (error) {
      if (!isSystemError(error) && !(error instanceof UpdateError)) throw error;
      log.error('a path could not be brought back', { path, why: error.message });
      failures.push(error);
    }
  };
  await undoCopies(operations, store);
  for (const folder of [...oldFolders].reverse()) await tryTo(folder, () => makeFolderAgain(folder));
  for (const operation of [...operations].reverse())
    await tryTo(operation.path, () => undo(operation, to.version, log));
  for (const folder of [...newFolders].reverse())
    await tryTo(folder, () => removeEmptyFolder('undo.folder', folder));
  await syncTouched(journal, 'oldAt', 'undo.sync');
  if (failures[0] !== undefined) throw failures[0];
}

/** A folder that is gone is there again, durably, before anything is put into it. */
async function makeFolderAgain(folder: string): Promise<void> {
  const made = await makeFolders('undo.folder', folder, 0o755);
  for (const path of made) await syncFolder('undo.sync', dirname(path));
}

async function undo(operation: Operation, version: string, log: Log): Promise<void> {
  const { path, newAt, oldAt, old } = operation;
  const live = await inodeAt(path);
  if (oldAt === null || old === null) {
    const isApplied = newAt !== null && (await look(newAt)) === null;
    // Where the staged file still stands, a file at the path is not ours.
    if (!isApplied || live === null) return;
    await keepEdit(operation, version, log);
    await moveObstacleBeside(path, version, log);
    return removeFile('undo.unlink', path);
  }
  const held = await inodeAt(oldAt);
  if (held === null) return;
  // rename(2) does nothing where both names are one inode, so the held name is removed instead.
  const isOld = operation.oldIsCopy ? (await liveInode(path)) === old.ino : live === held;
  if (isOld) return removeFile('undo.unlink', oldAt);
  await keepEdit(operation, version, log);
  const digest = await sha256OfFile(oldAt);
  if (digest !== old.sha256)
    log.warn('the held old file is damaged and put back all the same', {
      path,
      expected: old.sha256,
      digest,
    });
  await putBack(oldAt, path, version, log);
}

/** Only where the way is not free it is looked at: there may be thousands of files, and services are down. */
async function putBack(oldAt: string, path: string, version: string, log: Log): Promise<void> {
  try {
    await renameFile('undo.rename', oldAt, path);
  } catch (error) {
    if (!isSystemError(error, 'ENOENT', 'ENOTDIR', 'EISDIR')) throw error;
    await moveObstacleBeside(path, version, log);
    await makeFolderAgain(dirname(path));
    await renameFile('undo.rename', oldAt, path);
  }
}

async function liveInode(path: string): Promise<string | null> {
  const entry = await look(path);
  return entry?.isFile() === true ? ((await statFile(path))?.ino ?? null) : null;
}

/** What the new version wrote into the file is kept beside, if that works: going back never waits for it. */
async function keepEdit({ path, wanted }: Operation, version: string, log: Log): Promise<void> {
  try {
    const live = await look(path);
    if (live === null || !live.isFile()) return;
    const sha256 = await sha256OfFile(path);
    if (sha256 === wanted?.sha256) return;
    const beside = await freeNameBeside(path, version, sha256);
    if (beside === null) return;
    await linkFile('undo.keepEdit', path, beside);
    log.warn('a file that the failed version wrote was kept beside', { path, beside });
  } catch (error) {
    if (!isSystemError(error)) throw error;
    log.warn('a file that the failed version wrote could not be kept', { path, why: error.message });
  }
}
