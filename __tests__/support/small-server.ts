import { createServer, type RequestListener } from 'node:http';
import { afterEach } from '@jest/globals';
import { listenOn } from './local-server.js';

const closing: (() => void)[] = [];

afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** A real HTTP server on a free port of the loopback; it is closed after the test. Returns its origin. */
export async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  const port = await listenOn(server);
  closing.push(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${port}`;
}

/** The origin of a port on which nobody listens. */
export async function closedOrigin(): Promise<string> {
  const origin = await serve(() => undefined);
  closing.pop()?.();
  return origin;
}
