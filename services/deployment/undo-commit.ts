import { toUpdateError } from '../../machines/errors.js';
import { look, removeFile, syncFolder } from '../disk.js';
import type { Log } from '../log/log.js';
import { addedPaths } from './added-paths.js';
import { temporaryCopy } from './copy-durably.js';
import type { Journal } from './journal.js';
import { inodeAt } from './live-file.js';
import type { Operation } from './operation.js';
import { AS_FOUND, type Release } from './release.js';
import { readStaged } from './staged-release.js';
import type { Store } from './store.js';

/**
 * Takes back the copies of a commit that could not be finished, before any file is: a name among the objects must never
 * share its inode with a live file. An operation whose held file is gone is undone already; whatever stands beside it by
 * now is not the commit's.
 */
export async function undoCopies(operations: readonly Operation[], store: Store): Promise<void> {
  let hasObjects = false;
  for (const { old, oldAt, keepBeside } of operations) {
    const held = oldAt === null ? null : await inodeAt(oldAt);
    if (old === null || held === null) continue;
    const object = store.objectPath(old.sha256);
    if ((await inodeAt(object)) === held) {
      await removeFile('undo.unlink', object);
      hasObjects = true;
    }
    if (keepBeside === null) continue;
    for (const copy of [keepBeside, temporaryCopy(keepBeside)]) {
      if ((await look(copy)) !== null) await removeFile('undo.unlink', copy);
    }
  }
  if (hasObjects) await syncFolder('undo.sync', store.objects);
}

/**
 * Takes back the lists and pointers of a commit that could not be finished. The lists go first: the pointers need the
 * room that they give free.
 */
export async function undoRecords(journal: Journal, store: Store, log: Log): Promise<void> {
  const { pointers, purpose, to, from, leftId } = journal.body;
  const ids = await store.releaseIds();
  if (purpose === 'update' && ids.includes(to.id)) await store.removeRelease(to.id);
  const isNewList = leftId === AS_FOUND ? pointers.factory === null : leftId !== from?.id;
  if (isNewList && ids.includes(leftId)) await store.removeRelease(leftId);
  await store.setPointer('current', pointers.current);
  await store.setPointer('previous', pointers.previous);
  await store.setPointer('factory', pointers.factory);
  await undoLists(store, log);
}

/**
 * Lists that stay lose what the commit has added: paths that were new to it, and the edits of the release that was
 * about to be left. Where that cannot be done the lists hold more than they should, which costs a way back at most one
 * file, and going back does not wait for it.
 */
async function undoLists(store: Store, log: Log): Promise<void> {
  try {
    const added = await addedPaths(store);
    if (added === null) return;
    const { live } = await readStaged(store);
    for (const id of await store.releaseIds()) {
      const list = await store.releaseIfThere(id);
      if (list === null) continue;
      const before = id === live?.id ? live : without(added[id] ?? [], list);
      if (JSON.stringify(before) !== JSON.stringify(list)) await store.writeRelease(before);
    }
  } catch (error) {
    log.warn('the lists could not be brought back to what they were', { why: toUpdateError(error).message });
  }
}

function without(paths: readonly string[], list: Release): Release {
  const gone = new Set(paths);
  return {
    ...list,
    files: Object.fromEntries(Object.entries(list.files).filter(([path]) => !gone.has(path))),
  };
}
