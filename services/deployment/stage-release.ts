import { UpdateError } from '../../machines/errors.js';
import { needRoom } from '../free-room.js';
import type { Log } from '../log.js';
import { Journal } from './journal.js';
import type { Operation } from './operation.js';
import type { FileRecord, Release } from './release.js';
import { plain, stageFiles } from './stage-files.js';
import { makeStaging, writeStaged, type StagedRelease } from './staged-release.js';
import type { Store } from './store.js';
import { missingFolders, mountPointOf, readMountPoints } from './target-path.js';
import type { WantedRelease, Wish } from './wish.js';

export interface StageTools {
  store: Store;
  log: Log;
  signal: AbortSignal;
  /** Bytes that must stay free on the file system. */
  reserveBytes: number;
  /** Called with the bytes staged, all of them, and the module that brought the last. */
  onBytes: (done: number, all: number, module: string | null) => void;
  /** An undone journal stays, because the one that follows replaces it durably. */
  replacesUndone?: boolean;
  /** Frees what only comfort needs (older releases); asked where room is short. */
  prune: () => Promise<void>;
}

/**
 * Stages a release while the services run: room first, then every file that differs, then the list of it all. Nothing
 * live is changed. Throws DISK_FULL with needed and available bytes, DEPLOYMENT_FAILED where a path cannot be written.
 */
export async function stageRelease(
  makeWanted: () => Promise<WantedRelease>,
  tools: StageTools,
): Promise<StagedRelease> {
  const { store } = tools;
  if (tools.replacesUndone !== true) await refuseOpenJournal(store);
  await makeStaging(store);
  const wanted = await makeWanted();
  const bytes = wanted.wishes.reduce((sum, { file }) => sum + (file?.size ?? 0), 0);
  for (const [folder, needed] of await bytesByMount(wanted.wishes, store)) {
    await needRoom(folder, needed + tools.reserveBytes, tools.prune);
  }
  const files = await stageFiles(wanted.wishes, wanted.hashesAll, {
    ...tools,
    onBytes: (done, module) => tools.onBytes(done, bytes, module),
  });
  const newFolders = await foldersToMake(files.operations);
  const isUpdate = wanted.purpose === 'update';
  const staged: StagedRelease = {
    purpose: wanted.purpose,
    live: wanted.live,
    wanted: isUpdate ? completed(wanted, files.records, newFolders) : wanted.release,
    operations: files.operations,
    found: Object.fromEntries(files.found),
    newFolders,
    oldFolders: isUpdate ? [] : foldersToRemove(wanted.live, wanted.release),
    postCommands: wanted.postCommands,
    notices: [...wanted.notices, ...files.notices],
  };
  await writeStaged(store, staged);
  return staged;
}

async function refuseOpenJournal(store: Store): Promise<void> {
  const journal = await Journal.read(store.journalPath);
  if (journal === null) return;
  if (journal.head.phase === 'undone') return journal.remove();
  throw new UpdateError(
    'DEPLOYMENT_FAILED',
    `the deployment of ${journal.body.to.version} was cut while ${journal.head.phase} and not undone yet: restart the device`,
  );
}

/** Bytes that will be staged on each file system, by a folder on it: the store's own, and those of targets elsewhere. */
async function bytesByMount(wishes: readonly Wish[], store: Store): Promise<Map<string, number>> {
  const mounts = await readMountPoints();
  const home = mountPointOf(store.root, mounts);
  const bytes = new Map([[store.root, 0]]);
  for (const { path, file } of wishes) {
    const mount = mountPointOf(path, mounts);
    const folder = mount === home ? store.root : mount;
    bytes.set(folder, (bytes.get(folder) ?? 0) + (file?.size ?? 0));
  }
  return bytes;
}

async function foldersToMake(operations: readonly Operation[]): Promise<string[]> {
  const folders = new Set<string>();
  for (const { path, wanted, old } of operations) {
    if (wanted === null || old !== null) continue;
    for (const folder of await missingFolders(path)) folders.add(folder);
  }
  return [...folders].sort((a, b) => a.length - b.length);
}

function foldersToRemove(live: Release | null, wanted: Release): string[] {
  const stay = new Set(wanted.folders);
  return (live?.folders ?? []).filter((folder) => !stay.has(folder)).sort((a, b) => b.length - a.length);
}

/** The list of an update: what the live one says, then what the package brings. */
function completed(
  { live, release }: WantedRelease,
  records: ReadonlyMap<string, FileRecord | null>,
  newFolders: readonly string[],
): Release {
  const changed = [...records].map(([path, record]): [string, FileRecord | null] => [
    path,
    record && plain(record),
  ]);
  return {
    ...release,
    files: { ...live?.files, ...Object.fromEntries(changed) },
    folders: [...new Set([...(live?.folders ?? []), ...newFolders])].sort(),
  };
}
