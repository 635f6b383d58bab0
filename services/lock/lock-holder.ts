import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { isSystemError } from '../disk.js';

const ANSWER_WITHIN_MS = 3000;

/** Who has a lock's socket: nobody any more (`dead`), one that went without the lock (`gone`), or one that may hold it. */
export type Holder = 'dead' | 'gone' | { pid: number | null };

/** Whether anybody has a lock's socket; does not wait for whether it holds the lock. */
export function findHolder(path: string): Promise<Holder> {
  return call(path, async (socket) => {
    await once(socket, 'connect');
    return { pid: null };
  });
}

/** Waits until whoever has a lock's socket says that it holds the lock, or goes. One that is silent for 3 s may hold it. */
export function awaitHolder(path: string): Promise<Holder> {
  return call(path, async (socket) => {
    const answer = await text(socket);
    return /^[1-9]\d{0,9}$/.test(answer) ? { pid: Number(answer) } : 'gone';
  });
}

async function call(path: string, ask: (socket: Socket) => Promise<Holder>): Promise<Holder> {
  const socket = connect({ path, signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
  try {
    return await ask(socket);
  } catch (error) {
    if (isSystemError(error, 'ECONNREFUSED')) return 'dead';
    if (isSystemError(error, 'ENOENT', 'ECONNRESET')) return 'gone';
    // Stopped, or too busy to take a connection: for all that is known it holds the lock.
    return { pid: null };
  } finally {
    socket.destroy();
  }
}
