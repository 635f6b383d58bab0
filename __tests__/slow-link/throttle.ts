import { setTimeout as wait } from 'node:timers/promises';
import type { Pace } from '../support/package-server.js';

/** So far may a timer that came late on a busy machine be made up for: a real link is not late. */
const CATCH_UP_MS = 1000;

/** What the server sends at once. */
const LARGEST_PIECE = 64 * 1024;

/** Holds a server to so many bytes per second, over all its answers. */
export function throttle(bytesPerSecond: number): Pace {
  let last = { bytes: 0, dueAt: 0 };
  return async (bytesSent) => {
    const now = performance.now();
    const piece = bytesSent - last.bytes;
    // Another answer has nothing to make up for.
    const isSameAnswer = piece > 0 && piece <= LARGEST_PIECE;
    const dueAt = isSameAnswer
      ? Math.max(last.dueAt, now - CATCH_UP_MS) + (1000 * piece) / bytesPerSecond
      : now + (1000 * LARGEST_PIECE) / bytesPerSecond;
    last = { bytes: bytesSent, dueAt };
    if (dueAt > now) await wait(dueAt - now);
  };
}
