import { dirname } from 'node:path';
import { UpdateError } from '../../machines/errors.js';
import { aFewAtOnce } from '../a-few-at-once.js';
import { look, makeFolder, removeEmptyFolder, removeFile, renameFile, syncFolder } from '../disk.js';
import type { Journal } from './journal.js';
import type { Operation } from './operation.js';
import { pathsThere } from './paths-there.js';
import { folderFollowed, resolveTarget, type FoldersSeen, type Territory } from './target-path.js';

/**
 * Puts every staged file in place, by rename, and removes what goes: milliseconds, whatever the bytes. The journal says
 * so before and after. Called again after a cut it goes on: done means that the staged file is gone.
 */
export async function switchFiles(journal: Journal): Promise<void> {
  const { operations, newFolders, oldFolders } = journal.body;
  await journal.mark({ phase: 'switching' });
  for (const folder of newFolders) await makeFolder('switch.folder', folder, 0o755);
  const staged = await pathsThere(operations.map(({ newAt }) => newAt));
  await aFewAtOnce(operations, ({ path, newAt }) => apply(path, newAt, staged));
  for (const folder of oldFolders) await removeEmptyFolder('switch.folder', folder);
  await syncTouched(journal, 'newAt', 'switch.sync');
  await journal.mark({ phase: 'switched' });
}

/** Refuses where a path leads elsewhere than it did when it was recorded. Throws DEPLOYMENT_FAILED. */
export async function refuseMovedTargets(
  operations: readonly Pick<Operation, 'asked' | 'path'>[],
  territory: Territory,
): Promise<void> {
  const seen: FoldersSeen = new Map();
  await aFewAtOnce(operations, async ({ asked, path }) => {
    needSame(asked, path, await resolveTarget(asked, territory, seen));
  });
}

/**
 * Refuses where a folder of a recorded path leads elsewhere by now; what stands at the path itself does not matter. Throws
 * DEPLOYMENT_FAILED.
 */
export async function refuseMovedFolders(targets: readonly Pick<Operation, 'path'>[]): Promise<void> {
  const seen: FoldersSeen = new Map();
  for (const { path } of targets) needSame(path, path, await folderFollowed(path, seen));
}

function needSame(asked: string, before: string, now: string): void {
  if (now === before) return;
  throw new UpdateError('DEPLOYMENT_FAILED', `${asked} led to ${before} before and leads to ${now} now`);
}

async function apply(path: string, newAt: string | null, staged: ReadonlySet<string>): Promise<void> {
  if (newAt === null) await removeFile('switch.unlink', path);
  else if (staged.has(newAt)) await renameFile('switch.rename', newAt, path);
}

/** Every folder in which a name was made, replaced or removed, once each; `from`: whose names became the live ones. */
export async function syncTouched(
  journal: Journal,
  from: 'newAt' | 'oldAt',
  step: 'switch.sync' | 'undo.sync',
): Promise<void> {
  const { operations, newFolders, oldFolders } = journal.body;
  const touched = [
    ...operations.flatMap((operation) => [operation.path, operation[from]]),
    ...newFolders,
    ...oldFolders,
  ];
  const folders = new Set(touched.filter((path) => path !== null).map((path) => dirname(path)));
  await aFewAtOnce(folders, async (folder) => {
    if ((await look(folder)) !== null) await syncFolder(step, folder);
  });
}
