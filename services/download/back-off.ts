import { setTimeout as sleep } from 'node:timers/promises';
import { elapsedMs, type Instant } from '../../machines/clock.js';
import { UpdateError } from '../../machines/errors.js';
import type { Clock } from '../clock.js';

/** Devices that lost the same server at the same instant do not all come back at the same instant. */
const JITTER = 0.1;

export interface NetworkPatience {
  clock: Clock;
  /** How often it is tried whether there is a network again. */
  retryEveryMs?: number;
  /** How long there may be none. */
  giveUpAfterMs?: number;
}

/** Waits as long as the machine says, and up to a tenth longer. */
export async function backOff({ delayMs }: { delayMs: number }, signal: AbortSignal): Promise<null> {
  await pause(delayMs * (1 + JITTER * Math.random()), signal);
  return null;
}

/**
 * Waits until it is worth asking again, and answers since when there has been no network. Throws DOWNLOAD_FAILED where
 * that is too long ago. A device that was switched off meanwhile begins anew: its radio has to come up first.
 */
export async function awaitNetwork(
  { since }: { since: Instant | null },
  signal: AbortSignal,
  { clock, retryEveryMs = 5000, giveUpAfterMs = 10 * 60 * 1000 }: NetworkPatience,
): Promise<{ since: Instant }> {
  const now = clock();
  const lostAt = since?.bootId === now.bootId ? since : now;
  if (elapsedMs(lostAt, now) >= giveUpAfterMs) {
    throw new UpdateError('DOWNLOAD_FAILED', `no network for ${Math.round(giveUpAfterMs / 1000)} s`);
  }
  await pause(retryEveryMs, signal);
  return { since: lostAt };
}

/** Waits; throws CANCELLED when it is stopped. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch (cause) {
    throw new UpdateError('CANCELLED', 'the download was stopped', { cause });
  }
}
