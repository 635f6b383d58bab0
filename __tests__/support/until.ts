import { setTimeout as pause } from 'node:timers/promises';

/** Waits until something holds, and returns it. Throws after the deadline, so that no test waits in vain. */
export async function until<Result>(
  what: string,
  look: () => Result | Promise<Result>,
  deadlineMs = 10_000,
): Promise<Exclude<Result, null | undefined | false>> {
  const end = Date.now() + deadlineMs;
  for (;;) {
    const found = await look();
    if (isThere(found)) return found;
    if (Date.now() > end) throw new Error(`not within ${deadlineMs} ms: ${what}`);
    await pause(10);
  }
}

function isThere<Result>(found: Result): found is Exclude<Result, null | undefined | false> {
  return found !== null && found !== undefined && found !== false;
}
