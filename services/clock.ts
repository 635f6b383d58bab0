import { readFile } from 'node:fs/promises';
import type { Instant } from '../machines/clock.js';

/** Tells the time in a form that survives restarts and clocks that jump. */
export type Clock = () => Instant;

/** Nothing of this program was ever run before this day: a wall clock before it has not been set yet. */
const BUILT_AFTER_MS = Date.UTC(2026, 10, 1);

const BOOT_ID_FILE = '/proc/sys/kernel/random/boot_id';

/**
 * The device's clock: the boot's id, CLOCK_MONOTONIC (process.hrtime, common to all processes of a boot) and the wall
 * clock. Rejects where the boot id cannot be read.
 */
export async function openClock(bootIdFile = BOOT_ID_FILE): Promise<Clock> {
  const bootId = (await readFile(bootIdFile, 'utf8')).trim();
  return () => {
    const wallMs = Date.now();
    const uptimeMs = Number(process.hrtime.bigint() / 1_000_000n);
    return { bootId, uptimeMs, wallMs, wallIsPlausible: wallMs >= BUILT_AFTER_MS };
  };
}
