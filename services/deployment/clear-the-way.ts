import { dirname } from 'node:path';
import { stat } from 'node:fs/promises';
import { isSystemError, look, renameFile, syncFolder } from '../disk.js';
import type { Log } from '../log/log.js';
import { freeNameBeside } from './kept-beside.js';
import { AS_FOUND_VERSION } from './release.js';
import type { WantedRelease } from './wish.js';

/** On the way to factory nothing may stand in the way for good: what does is moved beside. */
export async function clearTheWay({ wishes, live }: WantedRelease, log: Log): Promise<void> {
  for (const { path, file } of wishes) {
    if (file !== null) await moveObstacleBeside(path, live?.version ?? AS_FOUND_VERSION, log);
  }
}

/**
 * What is no regular file where one is wanted, and what is no folder where one is, is moved beside, under the name that
 * edited files get. Throws node's error where it cannot be moved (a mount point).
 */
export async function moveObstacleBeside(path: string, version: string, log: Log): Promise<void> {
  const obstacle = await obstacleTo(path);
  if (obstacle === null) return;
  const beside = await freeNameBeside(obstacle, version, '');
  if (beside === null) return;
  await renameFile('undo.keepEdit', obstacle, beside);
  await syncFolder('undo.sync', dirname(obstacle));
  log.warn('what stood in the way of a file was moved beside', { path: obstacle, beside });
}

async function obstacleTo(path: string): Promise<string | null> {
  const entry = await look(path);
  if (entry !== null) return entry.isFile() ? null : path;
  for (let at = dirname(path); ; at = dirname(at)) {
    if ((await look(at)) !== null) return (await isFolder(at)) ? null : at;
  }
}

/** Whether a path leads to a folder; a symlink that leads nowhere does not. */
async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return false;
    throw error;
  }
}
