import { linkFile, look, removeFile, syncFolder } from '../disk.js';
import type { Log } from '../log/log.js';
import { sha256IfThere } from './content.js';
import { copyDurably } from './copy-durably.js';
import type { Operation } from './operation.js';
import type { FileRecord, Release } from './release.js';
import { isBesideTarget } from './staging-place.js';
import type { Store } from './store.js';

/** Contents go to the objects where a list that stays has them at a path where the live list has another, or none. */
export async function keepContents(
  store: Store,
  operations: readonly Operation[],
  lists: readonly Release[],
  { wanted, factory, log }: { wanted: Release; factory: string; log: Log },
): Promise<void> {
  const heldAt = new Map<string, string>();
  for (const { old, oldAt } of operations) if (old !== null && oldAt !== null) heldAt.set(old.sha256, oldAt);
  const done = new Set<string>();
  for (const list of lists) {
    const isFactory = list.id === factory;
    for (const [path, record] of Object.entries(list.files)) {
      if (record === null || done.has(record.sha256)) continue;
      const isLive = wanted.files[path]?.sha256 === record.sha256;
      if (isLive && !isFactory) continue;
      done.add(record.sha256);
      await keepContent(store, record, heldAt.get(record.sha256) ?? null, isLive ? path : null, log);
    }
  }
  await syncFolder('commit.sync', store.objects);
}

async function keepContent(
  store: Store,
  { sha256, size }: FileRecord,
  heldAt: string | null,
  liveAt: string | null,
  log: Log,
): Promise<void> {
  const object = store.objectPath(sha256);
  const there = await look(object);
  const source = heldAt !== null && (await look(heldAt)) !== null ? heldAt : liveAt;
  if (source === null) return;
  // What is held proves a digest for nothing more than reading; what merely is live is trusted by its size.
  const isGood = source === heldAt ? (await sha256IfThere(object)) === sha256 : there?.size === size;
  if (there !== null && isGood) return;
  if (there !== null) await removeFile('commit.object', object);
  if (source === heldAt) return linkOrCopy(heldAt, object);
  if ((await look(source))?.isFile() === true) {
    await copyDurably(source, object, null);
    if ((await sha256IfThere(object)) === sha256) return;
    await removeFile('commit.object', object);
  }
  log.warn('a file was changed before its content could be kept for the factory release', { path: liveAt });
}

async function linkOrCopy(heldAt: string, object: string): Promise<void> {
  // What is held beside a target on another mount cannot be linked into the store.
  if (isBesideTarget(heldAt)) return copyDurably(heldAt, object, null);
  await linkFile('commit.object', heldAt, object);
}
