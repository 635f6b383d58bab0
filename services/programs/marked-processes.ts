import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { isSystemError } from '../disk.js';

/** Stands in the environment of what is run; whatever it starts inherits it, whichever group or session that is in. */
export const MARK_VARIABLE = 'TOPE_UPDATER_RUN';

const ROUNDS = 50;
const BETWEEN_ROUNDS_MS = 10;

/**
 * Ends (SIGKILL) every process whose environment has this mark, and looks again until there is none, half a second long;
 * answers with those that are left. What has given itself another environment and session is not found.
 */
export async function endMarked(mark: string): Promise<number[]> {
  for (let round = 0; round < ROUNDS; round += 1) {
    const found = await pidsMarked(mark);
    if (found.length === 0) return [];
    for (const pid of found) endProcess(pid);
    await sleep(BETWEEN_ROUNDS_MS);
  }
  return pidsMarked(mark);
}

async function pidsMarked(mark: string): Promise<number[]> {
  const found: number[] = [];
  for (const name of await readdir('/proc')) {
    if (/^\d+$/.test(name) && (await environmentOf(name)).includes(`${MARK_VARIABLE}=${mark}`))
      found.push(Number(name));
  }
  return found;
}

/** See proc(5). A process that is gone, or is not ours to look at, has none. */
async function environmentOf(pid: string): Promise<string[]> {
  try {
    return (await readFile(`/proc/${pid}/environ`, 'latin1')).split('\0');
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ESRCH', 'EACCES', 'EPERM')) return [];
    throw error;
  }
}

function endProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    // It has ended by itself.
    if (!isSystemError(error, 'ESRCH')) throw error;
  }
}
