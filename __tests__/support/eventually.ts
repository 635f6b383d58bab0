import { setTimeout as wait } from 'node:timers/promises';

const LOOK_EVERY_MS = 10;

/**
 * Looks again and again until there is an answer other than null; fails after the time with what was waited for. Where a
 * look starts a process, `everyMs` should be longer.
 */
export async function eventually<Answer>(
  what: string,
  look: () => Promise<Answer | null> | Answer | null,
  withinMs = 20_000,
  everyMs = LOOK_EVERY_MS,
): Promise<Answer> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const answer = await look();
    if (answer !== null) return answer;
    if (performance.now() > deadline) throw new Error(`${what}: not within ${withinMs} ms`);
    await wait(everyMs);
  }
}
