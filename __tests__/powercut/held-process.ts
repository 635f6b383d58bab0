import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import type { UpdaterProcess } from '../support/updater-process.js';

const LOOK_EVERY_MS = 5;

/** Answers when a process is held by SIGSTOP, its own or another's; never where it is not. */
export async function untilHeld(updater: UpdaterProcess): Promise<'held'> {
  while (updater.isRunning) {
    if (stateOf(updater.pid) === 'T') return 'held';
    await wait(LOOK_EVERY_MS);
  }
  return new Promise(() => undefined);
}

/** The state of a process in one letter (proc(5), stat): T is held by a signal. */
function stateOf(pid: number): string {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat.charAt(stat.lastIndexOf(')') + 2);
}
