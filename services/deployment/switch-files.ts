import { dirname } from 'node:path';
import { UpdateError } from '../../machines/errors.js';
import { look, makeFolder, removeEmptyFolder, removeFile, renameFile, syncFolder } from '../disk.js';
import type { Journal } from './journal.js';
import type { Operation } from './operation.js';
import { folderFollowed, resolveTarget, type Territory } from './target-path.js';

/**
 * Puts every staged file in place, by rename, and removes what goes: milliseconds, whatever the bytes. The journal says
 * so before and after. Called again after a cut it goes on: done means that the staged file is gone.
 */
export async function switchFiles(journal: Journal): Promise<void> {
  const { operations, newFolders, oldFolders } = journal.body;
  await journal.mark({ phase: 'switching' });
  for (const folder of newFolders) await makeFolder('switch.folder', folder, 0o755);
  for (const operation of operations) await apply(operation);
  for (const folder of oldFolders) await removeEmptyFolder('switch.folder', folder);
  await syncTouched(journal, 'switch.sync');
  await journal.mark({ phase: 'switched' });
}

/** Refuses where a path leads elsewhere than it did when it was recorded. Throws DEPLOYMENT_FAILED. */
export async function refuseMovedTargets(
  operations: readonly Pick<Operation, 'asked' | 'path'>[],
  territory: Territory,
): Promise<void> {
  for (const { asked, path } of operations) {
    needSame(asked, path, await resolveTarget(asked, territory));
  }
}

/**
 * Refuses where a folder of a recorded path leads elsewhere by now; what stands at the path itself does not matter. Throws
 * DEPLOYMENT_FAILED.
 */
export async function refuseMovedFolders(targets: readonly Pick<Operation, 'path'>[]): Promise<void> {
  for (const { path } of targets) needSame(path, path, await folderFollowed(path));
}

function needSame(asked: string, before: string, now: string): void {
  if (now === before) return;
  throw new UpdateError('DEPLOYMENT_FAILED', `${asked} led to ${before} before and leads to ${now} now`);
}

async function apply({ path, newAt }: Operation): Promise<void> {
  if (newAt === null) return removeFile('switch.unlink', path);
  if ((await look(newAt)) !== null) await renameFile('switch.rename', newAt, path);
}

/** Every folder in which a name was made, replaced or removed, once each. */
export async function syncTouched(journal: Journal, step: 'switch.sync' | 'undo.sync'): Promise<void> {
  const { operations, newFolders, oldFolders } = journal.body;
  const touched = [
    ...operations.flatMap(({ path, newAt, oldAt }) => [path, newAt, oldAt]),
    ...newFolders,
    ...oldFolders,
  ];
  const folders = new Set(touched.filter((path) => path !== null).map((path) => dirname(path)));
  for (const folder of folders) {
    if ((await look(folder)) !== null) await syncFolder(step, folder);
  }
}
