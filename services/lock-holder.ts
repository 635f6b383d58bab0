import { connect } from 'node:net';
import { text } from 'node:stream/consumers';

const ANSWER_WITHIN_MS = 1000;

/** The pid that the holder of a lock's socket tells, or null where it does not answer within a second. */
export async function askHolder(socketName: string): Promise<number | null> {
  const socket = connect({ path: socketName, signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
  try {
    const answer = await text(socket);
    return /^[1-9]\d{0,9}$/.test(answer) ? Number(answer) : null;
  } catch {
    // Held, gone or silent: who it was does not change that the lock was held.
    return null;
  } finally {
    socket.destroy();
  }
}
