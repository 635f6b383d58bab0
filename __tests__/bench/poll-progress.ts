import { setTimeout as wait } from 'node:timers/promises';
import { call } from '../support/http-call.js';

/**
 * Asks for /progress every 15 ms until it is told to stop, then tells how long each answer took, in ms. A process of its
 * own: what else the measuring does must not hold it up.
 */
const port = Number(process.argv[2]);
const times: number[] = [];
const end = new AbortController();
process.once('message', () => end.abort());

while (!end.signal.aborted) {
  const asked = performance.now();
  await call(port, { path: '/api/v1.0/progress' });
  times.push(performance.now() - asked);
  await wait(15);
}
process.send?.(times);
process.disconnect();
