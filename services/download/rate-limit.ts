import { pause } from './back-off.js';

/** Called with each piece that has been taken; answers when the next may be. Throws CANCELLED when it is stopped. */
export type Pace = (bytes: number, signal: AbortSignal) => Promise<void>;

/** So far may what was taken lag behind the rate (a stalled server) and be caught up with faster, in ms. */
const CATCH_UP_MS = 100;

/** A wait that is not worth a timer is added to the next one, in ms. */
const SHORTEST_WAIT_MS = 5;

/**
 * Holds what is fetched to so many bytes per second; 0: as fast as it goes. Nobody reads from the connection during the
 * waits, so that TCP slows the server down: nothing is gathered in memory.
 */
export function limitRate(bytesPerSecond: number): Pace {
  if (bytesPerSecond === 0) return () => Promise.resolve();
  let dueAt = 0;
  return async (bytes, signal) => {
    const now = performance.now();
    dueAt = Math.max(dueAt, now - CATCH_UP_MS) + (1000 * bytes) / bytesPerSecond;
    const waitMs = dueAt - now;
    if (waitMs >= SHORTEST_WAIT_MS) await pause(waitMs, signal);
  };
}
