import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { isSystemError, openForReading } from '../../services/disk.js';

/** A file as it is served. */
export interface ServedFile {
  /** With a query that nobody can guess, and that is shown nowhere: other users of the device cannot read the file. */
  url: string;
  close(): Promise<void>;
}

/**
 * Serves one file over HTTP on 127.0.0.1, whole or from a byte on (RFC 9110, section 14: Range; section 13.1.5:
 * If-Range), as long as it is not closed. `etag` names its contents. Rejects with node's errors.
 */
export async function serveFile(path: string, size: number, etag: string): Promise<ServedFile> {
  const place = `/package.zip?key=${randomBytes(16).toString('hex')}`;
  const server = createServer((request, response) => {
    if (request.url !== place || (request.method !== 'GET' && request.method !== 'HEAD')) {
      response.writeHead(404).end();
      return;
    }
    answer(request, response, { path, size, etag: `"${etag}"` }).catch((error: unknown) => {
      // A reader that goes away comes back for the rest; what else goes wrong it sees as a broken connection.
      if (!isSystemError(error, 'ERR_STREAM_PREMATURE_CLOSE')) process.stderr.write(`${String(error)}\n`);
      response.destroy();
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the file server has no port');
  return {
    url: `http://127.0.0.1:${address.port}${place}`,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function answer(
  { method, headers }: IncomingMessage,
  response: ServerResponse,
  { path, size, etag }: { path: string; size: number; etag: string },
): Promise<void> {
  const condition = headers['if-range'];
  const range = condition === undefined || condition === etag ? headers.range : undefined;
  const first = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0);
  if (first >= size) {
    response.writeHead(416, { 'Content-Range': `bytes */${size}` }).end();
    return;
  }
  response.writeHead(first === 0 ? 200 : 206, {
    'Content-Type': 'application/zip',
    'Content-Length': size - first,
    'Accept-Ranges': 'bytes',
    ETag: etag,
    ...(first === 0 ? {} : { 'Content-Range': `bytes ${first}-${size - 1}/${size}` }),
  });
  if (method === 'HEAD') {
    response.end();
    return;
  }
  const file = await openForReading(path);
  await pipeline(file.createReadStream({ start: first, end: size - 1 }), response);
}
