import { once } from 'node:events';
import type { Server } from 'node:net';

/**
 * Listens on an address of this machine's loopback; port 0 takes a free one. Answers with the port. On an address other
 * than 127.0.0.1 a port stays free for a server that comes back: connections that others make go out from 127.0.0.1.
 */
export async function listenOn(server: Server, host = '127.0.0.1', port = 0): Promise<number> {
  server.listen(port, host);
  await once(server, 'listening');
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('the server has no port');
  return address.port;
}
