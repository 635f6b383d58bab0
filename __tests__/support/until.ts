import { setTimeout as wait } from 'node:timers/promises';

const LOOK_EVERY_MS = 10;

/**
 * Looks again and again until something is there or holds, and returns it; fails after the time with what was waited
 * for. Where a look starts a process, `everyMs` should be longer.
 */
export async function until<Result>(
  what: string,
  look: () => Result | Promise<Result>,
  withinMs = 20_000,
  everyMs = LOOK_EVERY_MS,
): Promise<Exclude<Result, null | undefined | false>> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const found = await look();
    if (isThere(found)) return found;
    if (performance.now() > deadline) throw new Error(`${what}: not within ${withinMs} ms`);
    await wait(everyMs);
  }
}

function isThere<Result>(found: Result): found is Exclude<Result, null | undefined | false> {
  return found !== null && found !== undefined && found !== false;
}
