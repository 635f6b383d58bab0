import { createServer, type RequestListener } from 'node:http';
import { once } from 'node:events';
import { afterEach } from '@jest/globals';

const closing: (() => void)[] = [];

afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** A real HTTP server on a free port of the loopback; it is closed after the test. Returns its origin. */
export async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => {
    server.close();
    server.closeAllConnections();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return `http://127.0.0.1:${address.port}`;
}

/** The origin of a port on which nobody listens. */
export async function closedOrigin(): Promise<string> {
  const origin = await serve(() => undefined);
  closing.pop()?.();
  return origin;
}
