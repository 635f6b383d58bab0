import { join } from 'node:path';
import { isSystemError, look, removeFile, writeDurably } from '../disk.js';
import type { Log } from '../log/log.js';

const RESERVE_BYTES = 256 * 1024;

function reservePath(tmpDir: string): string {
  return join(tmpDir, 'reserve');
}

/** Holds room in the work folder that is given up when the disk is full, so that saying so needs no new room. */
export async function makeReserve(tmpDir: string, log: Log): Promise<void> {
  const path = reservePath(tmpDir);
  if ((await look(path))?.size === RESERVE_BYTES) return;
  try {
    await writeDurably('reserve.make', path, Buffer.alloc(RESERVE_BYTES), 0o600);
  } catch (error) {
    if (!isSystemError(error)) throw error;
    log.warn('no room can be held in reserve', { why: error.message });
  }
}

/** Gives the reserve up; tells whether there was one. */
export async function giveUpReserve(tmpDir: string, log: Log): Promise<boolean> {
  const path = reservePath(tmpDir);
  if ((await look(path)) === null) return false;
  await removeFile('reserve.giveUp', path);
  log.warn('the disk is full: the reserve was given up', { path });
  return true;
}
