import { dirname } from 'node:path';
import { aFewAtOnce } from '../a-few-at-once.js';
import { look, makeFolder, removeEmptyFolder, removeFile, renameFile, syncFolder } from '../disk.js';
import type { Journal } from './journal.js';
import { pathsThere } from './paths-there.js';

/**
 * Puts every staged file in place, by rename, and removes what goes: milliseconds, whatever the bytes. The journal says
 * so before and after. Called again after a cut it goes on: done means that the staged file is gone.
 */
export async function applySwitch(journal: Journal): Promise<void> {
  const { operations, newFolders, oldFolders } = journal.body;
  await journal.mark({ phase: 'switching' });
  for (const folder of newFolders) await makeFolder('switch.folder', folder, 0o755);
  const staged = await pathsThere(operations.map(({ newAt }) => newAt));
  await aFewAtOnce(operations, ({ path, newAt }) => apply(path, newAt, staged));
  for (const folder of oldFolders) await removeEmptyFolder('switch.folder', folder);
  await syncTouched(journal, 'newAt', 'switch.sync');
  await journal.mark({ phase: 'switched' });
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
