import { dirname } from 'node:path';
import { stat } from 'node:fs/promises';
import { isSystemError, look, renameFile, syncFolder } from '../disk.js';
import type { Log } from '../log.js';
import { freeNameBeside } from './kept-beside.js';
import { AS_FOUND_VERSION } from './release.js';
import type { WantedRelease } from './wish.js';

/**
 * On the way to factory nothing may stand in the way for good: what is no regular file where one is wanted, and what is
 * no folder where one is, is moved beside, under the name that edited files get.
 */
export async function clearTheWay({ wishes, live }: WantedRelease, log: Log): Promise<void> {
  for (const { path, file } of wishes) {
    if (file === null) continue;
    const obstacle = await obstacleTo(path);
    if (obstacle === null) continue;
    const beside = await freeNameBeside(obstacle, live?.version ?? AS_FOUND_VERSION, '');
    if (beside === null) continue;
    await renameFile('undo.keepEdit', obstacle, beside);
    await syncFolder('undo.sync', dirname(obstacle));
    log.warn('what stood in the way of the factory release was moved beside', { path: obstacle, beside });
  }
}

async function obstacleTo(path: string): Promise<string | null> {
  const entry = await look(path);
  if (entry !== null) return entry.isFile() ? null : path;
  for (let at = dirname(path); ; at = dirname(at)) {
    try {
      return (await stat(at)).isDirectory() ? null : at;
    } catch (error) {
      if (!isSystemError(error, 'ENOENT', 'ENOTDIR')) throw error;
    }
  }
}
