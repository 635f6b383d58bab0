import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Keeps a server at a number of connections. Where one more comes, the one that has been waiting the longest for
 * somebody to send a whole request makes way: silent and slow clients can fill the places, but not hold them. The new
 * one is dropped only where every place is being answered.
 */
export function limitConnections(server: Server, most: number): void {
  /** Connections that wait for a request, the longest waiting first. */
  const waiting = new Set<Socket>();
  const all = new Set<Socket>();

  server.on('connection', (socket) => {
    if (all.size >= most) {
      const [longest] = waiting;
      (longest ?? socket).destroy();
      if (longest === undefined) return;
      forget(longest);
    }
    all.add(socket);
    waiting.add(socket);
    socket.once('close', () => forget(socket));
  });

  server.on('request', (request, response) => {
    const { socket } = request;
    const answering = (): void => void waiting.delete(socket);
    if (hasBody(request)) request.once('end', answering);
    else answering();
    response.once('close', () => {
      if (all.has(socket)) waiting.add(socket);
    });
  });

  function forget(socket: Socket): void {
    all.delete(socket);
    waiting.delete(socket);
  }
}

/** RFC 9112, section 6.3: a request has a body where one of these headers says so. */
function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) !== 0;
}
