import { setTimeout as sleep } from 'node:timers/promises';
import { UpdateError } from '../../machines/errors.js';

/** Waits between two looks, in ms. Throws CANCELLED as soon as the signal is aborted. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await sleep(ms, undefined, { signal }).catch(() => undefined);
  if (signal.aborted)
    throw new UpdateError('CANCELLED', 'waiting for services was given up: another event came first');
}

/** Ms between the first two looks at a unit that is stopped or started. */
export const FIRST_PAUSE_MS = 10;
const LONGEST_MS = 100;

/** The next pause, in ms: what is quick is noticed quickly, and what is not is not asked all the time. */
export function longer(ms: number): number {
  return Math.max(ms, Math.min(ms * 1.25, LONGEST_MS));
}

/** Whole ms that have passed since a moment of `performance.now()`. */
export function msSince(moment: number): number {
  return Math.floor(performance.now() - moment);
}
