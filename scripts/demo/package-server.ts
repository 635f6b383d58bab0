import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { portOf } from './port-of.js';

/** One request for a package, as the server saw it. */
export interface PackageRequest {
  name: string;
  /** The first byte that was asked for, and sent. */
  from: number;
  /** Bytes of the package that were given to the connection. */
  sent: number;
}

export interface PackageServer {
  urlOf(name: string): string;
  /** The next connection breaks as soon as it has come to this byte of its package. */
  dropAt(byte: number, onDropped: () => void): void;
  requests(name: string): readonly PackageRequest[];
  close(): Promise<void>;
}

const CHUNK_BYTES = 32 * 1024;

/** Serves the files of a folder with ETag and Range (RFC 9110, sections 8.8.3 and 14), no faster than so many bytes per second. */
export async function startPackageServer(folder: string, bytesPerSecond: number): Promise<PackageServer> {
  const requests: PackageRequest[] = [];
  let drop: { at: number; onDropped: () => void } | null = null;

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const name = basename(new URL(request.url ?? '/', 'http://localhost').pathname);
    const path = join(folder, name);
    const { size, mtimeMs } = await stat(path);
    const etag = `"${size.toString(16)}-${mtimeMs.toString(16)}"`;
    const from = firstByteOf(request, etag);
    const headers = { 'content-type': 'application/zip', 'accept-ranges': 'bytes', etag };
    if (from >= size) {
      response.writeHead(416, { 'content-range': `bytes */${size}` }).end();
      return;
    }
    const part = from === 0 ? {} : { 'content-range': `bytes ${from}-${size - 1}/${size}` };
    response.writeHead(from === 0 ? 200 : 206, { ...headers, ...part, 'content-length': size - from });
    const seen: PackageRequest = { name, from, sent: 0 };
    requests.push(seen);
    const chunks: AsyncIterable<Buffer> = createReadStream(path, { start: from, highWaterMark: CHUNK_BYTES });
    for await (const chunk of chunks) {
      if (drop !== null && from + seen.sent >= drop.at) {
        const { onDropped } = drop;
        drop = null;
        response.destroy();
        onDropped();
      }
      if (response.destroyed) return;
      response.write(chunk);
      seen.sent += chunk.length;
      await sleep((chunk.length * 1000) / bytesPerSecond);
    }
    response.end();
  }

  const server = createServer((request, response) => {
    serve(request, response).catch(() => {
      if (response.headersSent) response.destroy();
      else response.writeHead(404).end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    urlOf: (name) => `http://127.0.0.1:${portOf(server)}/${name}`,
    dropAt: (at, onDropped) => (drop = { at, onDropped }),
    requests: (name) => requests.filter((request) => request.name === name),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Ranges of the form `bytes=N-` are understood; another file than the one that the range is of is sent whole. */
function firstByteOf({ headers }: IncomingMessage, etag: string): number {
  const validator = headers['if-range'];
  if (validator !== undefined && validator !== etag) return 0;
  return Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0);
}
