import { afterAll, afterEach } from '@jest/globals';

/** How long something that a test has started stays: until the test is over, or the last one of its file. */
export type Life = 'test' | 'file';

const ending: Record<Life, (() => Promise<void>)[]> = { test: [], file: [] };

/** Has something cleaned away when its life is over; what came last goes first. */
export function atEndOf(life: Life, clean: () => Promise<void>): void {
  ending[life].unshift(clean);
}

async function end(life: Life): Promise<void> {
  for (const clean of ending[life].splice(0)) await clean();
}

afterEach(() => end('test'));
afterAll(() => end('file'));
