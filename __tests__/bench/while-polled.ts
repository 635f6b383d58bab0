import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const POLLER = fileURLToPath(new URL('./poll-progress.js', import.meta.url));

/** Has /progress asked for every 15 ms while something goes on; answers with how long each answer took, in ms. */
export async function whilePolled(port: number, work: () => Promise<unknown>): Promise<number[]> {
  const poller = fork(POLLER, [String(port)]);
  try {
    await work();
    const answered = once(poller, 'message');
    poller.send('stop');
    const times: unknown = (await answered).at(0);
    if (!Array.isArray(times)) throw new Error('the poller told no times');
    return times.map(Number);
  } finally {
    poller.kill();
  }
}
