import { readdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { UpdateError } from '../../machines/errors.js';
import { look, removeFile, syncFolder } from '../disk.js';
import type { Log } from '../log/log.js';
import { readAttributes } from './attributes.js';
import { sha256OfFile } from './content.js';
import { copyDurably } from './copy-durably.js';
import { Journal } from './journal.js';
import { recordFile, statFile } from './live-file.js';
import { nextReleaseId, type FileRecord, type Release } from './release.js';
import { plain } from './stage-files.js';
import type { Store } from './store.js';
import { isWithin, resolveTarget, type Territory } from './target-path.js';

export interface FactoryRequest {
  version: string;
  /** Files, and folders with all regular files below. What is not named is added by the update that first touches it. */
  paths: readonly string[];
}

/**
 * Records what is on the device as the factory release: the given paths, and every path that the live list names, with
 * copies of their contents. On a device without a live release it becomes that too. The same again changes nothing. No
 * updater may run. Throws DEPLOYMENT_FAILED where an update is open, or for a path that no update may touch.
 */
export async function recordFactory(
  store: Store,
  { version, paths }: FactoryRequest,
  { territory, now, log }: { territory: Territory; now: Date; log: Log },
): Promise<Release> {
  if ((await Journal.read(store.journalPath)) !== null)
    throw new UpdateError(
      'DEPLOYMENT_FAILED',
      'an update is going on: nothing is recorded as factory release',
    );
  const currentId = await store.pointer('current');
  const live = currentId === null ? null : await store.release(currentId);
  const listed = new Set(Object.keys(live?.files ?? {}));
  for (const path of paths) for (const file of await filesAt(path, territory)) listed.add(file);
  const files = await recordAll([...listed].sort(), log);
  await keepCopies(store, files);
  const before = await factoryOf(store);
  if (before?.version === version && JSON.stringify(before.files) === JSON.stringify(files)) return before;
  const release: Release = {
    schema: 1,
    id: nextReleaseId(await store.releaseIds(), version),
    version,
    package: null,
    installedAt: now.toISOString(),
    files,
    folders: [],
    units: live?.units ?? [],
  };
  await store.writeRelease(release);
  await store.setPointer('factory', release.id);
  // What is live and was never installed by an update is the factory release itself.
  if (live === null || live.package === null) await store.setPointer('current', release.id);
  return release;
}

async function factoryOf(store: Store): Promise<Release | null> {
  const id = await store.pointer('factory');
  return id === null ? null : store.releaseIfThere(id);
}

/** Real paths of the regular files at a path or below it; links and other things are left out, and folders of ours. */
async function filesAt(asked: string, territory: Territory): Promise<string[]> {
  const isRoot = territory.roots.includes(asked);
  const path = isRoot ? await realpath(asked) : await resolveTarget(asked, territory);
  const entry = await look(path);
  if (entry === null) throw new UpdateError('DEPLOYMENT_FAILED', `${asked} is not there: nothing to record`);
  if (entry.isFile()) return [path];
  if (!entry.isDirectory()) throw new UpdateError('DEPLOYMENT_FAILED', `${asked} is no file and no folder`);
  const found = await readdir(path, { withFileTypes: true, recursive: true });
  const files = found.filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name));
  return files.filter((file) => !territory.forbidden.some((folder) => isWithin(file, folder)));
}

async function recordAll(paths: readonly string[], log: Log): Promise<Record<string, FileRecord | null>> {
  const attributes = await readAttributes(paths, log);
  const files: Record<string, FileRecord | null> = {};
  for (const path of paths) {
    const stat = await statFile(path);
    files[path] = stat && plain(await recordFile(path, stat, attributes.get(path) ?? {}));
  }
  return files;
}

/** Copies, not links: what a service writes into its own file must not change what factory is. */
async function keepCopies(store: Store, files: Readonly<Record<string, FileRecord | null>>): Promise<void> {
  for (const [path, record] of Object.entries(files)) {
    if (record === null) continue;
    const object = store.objectPath(record.sha256);
    if ((await look(object)) !== null && (await sha256OfFile(object)) === record.sha256) continue;
    await removeFile('commit.object', object);
    await copyDurably(path, object, null);
    if ((await sha256OfFile(object)) === record.sha256) continue;
    await removeFile('commit.object', object);
    throw new UpdateError('DEPLOYMENT_FAILED', `${path} was written while it was recorded: try again`);
  }
  await syncFolder('commit.sync', store.objects);
}
