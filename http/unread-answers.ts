import type { RequestListener } from 'node:http';
import type { Socket } from 'node:net';

/** Requests of one connection whose answers are not read yet; who sends one more is dropped (RFC 9112, section 9.3.2). */
const MAX_UNREAD_ANSWERS = 4;
/** How long a whole answer may take to be read, in ms. */
const READ_WITHIN_MS = 10_000;

/**
 * Keeps what nobody reads from filling the memory: drops the connection of a client that asks on without reading, and of
 * one that has not taken a whole answer in time. Streams, which end when their reader goes, bound themselves.
 */
export function dropUnreadAnswers(answer: RequestListener, readWithinMs = READ_WITHIN_MS): RequestListener {
  const unread = new WeakMap<Socket, number>();
  return (request, response) => {
    const { socket } = request;
    // What came in one piece with the request that was one too many.
    if (socket.destroyed) return;
    const count = (unread.get(socket) ?? 0) + 1;
    if (count > MAX_UNREAD_ANSWERS) {
      socket.destroy();
      return;
    }
    unread.set(socket, count);
    let deadline: NodeJS.Timeout | undefined;
    response.once('prefinish', () => (deadline = setTimeout(() => socket.destroy(), readWithinMs).unref()));
    response.once('close', () => {
      clearTimeout(deadline);
      unread.set(socket, (unread.get(socket) ?? 1) - 1);
    });
    answer(request, response);
  };
}
