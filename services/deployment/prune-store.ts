import { removeFile } from '../disk.js';
import type { Log } from '../log/log.js';
import { Journal } from './journal.js';
import { AS_FOUND } from './release.js';
import type { Store } from './store.js';

export interface Keeping {
  /** Newest releases that stay besides current, previous and factory. */
  keep: number;
  /** The last resort needs room: not even the previous release stays. */
  dropsPrevious?: boolean;
}

/** The releases that stay: current, previous, factory, those that are named besides, and the newest others. */
export async function keptReleaseIds(
  store: Store,
  { keep, dropsPrevious = false, also }: Keeping & { also: readonly string[] },
): Promise<string[]> {
  const named = [
    await store.pointer('current'),
    dropsPrevious ? null : await store.pointer('previous'),
    await store.pointer('factory'),
    ...also,
  ].filter((id) => id !== null);
  const others = (await store.releaseIds()).filter((id) => !named.includes(id) && id !== AS_FOUND);
  return [...new Set([...named, ...(keep > 0 ? others.slice(-keep) : [])])];
}

/**
 * Drops releases that are not kept, oldest first, then the contents that no list needs: first a list goes, then its
 * objects, so that a cut leaves garbage and never a gap. What a journal names stays; with one that cannot be read, and
 * with a damaged pointer, nothing is touched (DEPLOYMENT_FAILED).
 */
export async function pruneStore(store: Store, keeping: Keeping, log: Log): Promise<void> {
  for (const pointer of ['current', 'previous', 'factory'] as const) await store.needWhole(pointer);
  const kept = await keptReleaseIds(store, { ...keeping, also: await idsInJournal(store) });
  for (const id of await store.releaseIds()) {
    if (kept.includes(id)) continue;
    await store.removeRelease(id);
    log.info('an old release was dropped', { release: id });
  }
  for (const path of await store.temporaries()) await removeFile('prune.release', path);
  const contents = await neededContents(store);
  if (contents === null) return;
  for (const name of await store.objectNames()) {
    if (!contents.has(name)) await removeFile('prune.object', store.objectPath(name));
  }
}

/** An undone journal stays until the failure is saved; its pointers are those of today. */
async function idsInJournal(store: Store): Promise<string[]> {
  const journal = await Journal.read(store.journalPath);
  if (journal === null || journal.head.phase === 'undone') return [];
  const { from, to, leftId, pointers } = journal.body;
  return [from?.id, to.id, leftId, pointers.current, pointers.previous, pointers.factory].filter(
    (id) => id != null,
  );
}

/** Digests that a list needs; null where a list cannot be read: then nothing may be dropped. */
async function neededContents(store: Store): Promise<Set<string> | null> {
  const current = await store.pointer('current');
  const factory = await store.pointer('factory');
  const live = current === null ? null : await store.releaseIfThere(current);
  if (live === null && current !== null) return null;
  const needed = new Set<string>();
  for (const id of await store.releaseIds()) {
    const list = await store.releaseIfThere(id);
    if (list === null) return null;
    for (const [path, record] of Object.entries(list.files)) {
      if (record === null) continue;
      if (id === factory || live?.files[path]?.sha256 !== record.sha256) needed.add(record.sha256);
    }
  }
  return needed;
}
