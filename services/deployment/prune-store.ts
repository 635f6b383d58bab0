import { removeFile } from '../disk.js';
import type { Log } from '../log.js';
import { AS_FOUND } from './release.js';
import type { Store } from './store.js';

export interface Keeping {
  /** Newest releases that stay besides current, previous and factory. */
  keep: number;
  /** Releases that stay whatever the pointers say. */
  extra?: readonly string[];
  factory?: string;
}

/** The releases that stay: current, previous, factory, and the newest others. */
export async function keptReleaseIds(
  store: Store,
  { keep, extra = [], factory }: Keeping,
): Promise<string[]> {
  const named = [
    await store.pointer('current'),
    await store.pointer('previous'),
    await store.pointer('factory'),
    factory ?? null,
    ...extra,
  ].filter((id) => id !== null);
  const others = (await store.releaseIds()).filter((id) => !named.includes(id) && id !== AS_FOUND);
  return [...new Set([...named, ...(keep > 0 ? others.slice(-keep) : [])])];
}

/**
 * Drops releases that are not kept, oldest first, then the contents that no list needs: first a list goes, then its
 * objects, so that a cut leaves garbage and never a gap. Not to be called while a journal is there.
 */
export async function pruneStore(store: Store, keeping: Keeping, log: Log): Promise<void> {
  const kept = await keptReleaseIds(store, keeping);
  for (const id of await store.releaseIds()) {
    if (kept.includes(id)) continue;
    await store.removeRelease(id);
    log.info('an old release was dropped', { release: id });
  }
  const needed = await neededContents(store);
  if (needed === null) return;
  for (const name of await store.objectNames()) {
    if (!needed.has(name)) await removeFile('prune.object', store.objectPath(name));
  }
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
