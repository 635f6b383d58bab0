import { dirname } from 'node:path';
import { toUpdateError, UpdateError } from '../../machines/errors.js';
import { isSystemError, look } from '../disk.js';
import { noRoom } from '../free-room.js';
import type { Log } from '../log/log.js';
import { isOver } from './close-deployment.js';
import { isFulfilled } from './fulfilled.js';
import { Journal } from './journal.js';
import type { Operation } from './operation.js';
import { plain, type FileRecord, type Release } from './release.js';
import { stageFiles } from './stage-files.js';
import { makeStaging, writeStaged, type StagedRelease } from './staged-release.js';
import { needRoomFor, placesFor, type StagingPlace } from './staging-place.js';
import type { Store } from './store.js';
import { missingFolders } from './target-path.js';
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
  /** Where there still is no room, kept contents are linked instead of copied: for the last resort alone. */
  mayLinkObjects?: boolean;
}

/**
 * Stages a release while the services run: room first, then every file that differs, then the list of it all. Nothing
 * live is changed. Throws DISK_FULL with needed and available bytes, DEPLOYMENT_FAILED where a path cannot be written.
 */
export async function stageWanted(
  makeWanted: () => Promise<WantedRelease>,
  tools: StageTools,
): Promise<StagedRelease> {
  const { store, signal } = tools;
  if (tools.replacesUndone !== true) await refuseOpenJournal(store);
  await makeStaging(store);
  const wanted = await makeWanted();
  const fulfilled = new Map<string, FileRecord | null>();
  const wishes: Wish[] = [];
  for (const wish of wanted.wishes) {
    signal.throwIfAborted();
    if (!(await isFulfilled(wish, wanted.hashesAll, signal))) wishes.push(wish);
    else if (wish.listed !== undefined) fulfilled.set(wish.path, wish.file === null ? null : wish.listed);
  }
  const isUpdate = wanted.purpose === 'update';
  const oldFolders = isUpdate ? [] : await foldersToRemove(wanted.live, wanted.release);
  const places = await placesFor(wishes, oldFolders, store);
  const linksObjects = !(await isRoomFor(places, tools));
  const bytes = wishes.reduce((sum, { file }) => sum + (file?.size ?? 0), 0);
  const files = await stageFiles(places, wanted.hashesAll, {
    ...tools,
    linksObjects,
    onBytes: (done, module) => tools.onBytes(done, bytes, module),
  }).catch(async (error: unknown) => {
    throw isSystemError(error, 'ENOSPC', 'EDQUOT') ? await noRoom(store.root, bytes, error) : error;
  });
  const newFolders = await foldersToMake(files.operations);
  const staged: StagedRelease = {
    purpose: wanted.purpose,
    live: wanted.live,
    wanted: isUpdate ? completed(wanted, [...fulfilled, ...files.records], newFolders) : wanted.release,
    operations: files.operations,
    found: Object.fromEntries(files.found),
    newFolders,
    oldFolders,
    postCommands: wanted.postCommands,
    notices: [...wanted.notices, ...files.notices],
  };
  await writeStaged(store, staged);
  return staged;
}

async function refuseOpenJournal(store: Store): Promise<void> {
  const journal = await Journal.read(store.journalPath);
  if (journal === null) return;
  if (await isOver(journal, store)) return journal.remove();
  throw new UpdateError(
    'DEPLOYMENT_FAILED',
    `the deployment of ${journal.body.to.version} was cut while ${journal.head.phase} and not undone yet: restart the device`,
  );
}

async function foldersToMake(operations: readonly Operation[]): Promise<string[]> {
  const made = operations.filter(({ wanted, old }) => wanted !== null && old === null);
  // One file of each folder is enough to look for.
  const oneOfEach = new Map(made.map(({ path }) => [dirname(path), path]));
  const folders = new Set<string>();
  for (const path of oneOfEach.values()) for (const folder of await missingFolders(path)) folders.add(folder);
  return [...folders].sort((a, b) => a.length - b.length);
}

async function foldersToRemove(live: Release | null, wanted: Release): Promise<string[]> {
  const stay = new Set(wanted.folders);
  const folders: string[] = [];
  for (const folder of live?.folders ?? []) {
    // One that is gone already would be made by an undo.
    if (!stay.has(folder) && (await look(folder))?.isDirectory() === true) folders.push(folder);
  }
  return folders.sort((a, b) => b.length - a.length);
}

async function isRoomFor(places: readonly StagingPlace[], tools: StageTools): Promise<boolean> {
  try {
    await needRoomFor(places, tools);
    return true;
  } catch (error) {
    if (tools.mayLinkObjects !== true || toUpdateError(error).code !== 'DISK_FULL') throw error;
    tools.log.warn('there is no room to copy the kept files: they are linked', {
      why: toUpdateError(error).message,
    });
    return false;
  }
}

/** The list of an update: what the live one says, then what the package brings. */
function completed(
  { live, release }: WantedRelease,
  records: readonly [string, FileRecord | null][],
  newFolders: readonly string[],
): Release {
  const changed = records.map(([path, record]): [string, FileRecord | null] => [
    path,
    record && plain(record),
  ]);
  return {
    ...release,
    files: { ...live?.files, ...Object.fromEntries(changed) },
    folders: [...new Set([...(live?.folders ?? []), ...newFolders])].sort(),
  };
}
