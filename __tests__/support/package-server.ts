import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { BuiltPackage } from './build-package.js';
import { listenOn } from './local-server.js';

/** Waits as long as the server shall hold back what follows these bytes (counted from the beginning of the package). */
export type Pace = (bytesSent: number) => Promise<void> | void;

/** What stands in the query of each URL: a credential, which nobody but the server may ever see. */
export const URL_SECRET = 'AKIAsecretOfTheUrl';

const PIECE_BYTES = 64 * 1024;

/** Serves packages from disk over pre-signed URLs, with Range and If-Range, as fast as it is let. */
export class PackageServer {
  /** Bytes of packages that were handed to the kernel. */
  sentBytes = 0;
  /** The Range of each request, or '' where it had none. */
  readonly ranges: string[] = [];
  pace: Pace = () => undefined;
  readonly #packages = new Map<string, BuiltPackage>();
  readonly #server: Server;
  #port = 0;
  #signed = 0;

  private constructor() {
    this.#server = createServer((request, response) => {
      this.#serve(request, response).catch(() => response.destroy());
    });
  }

  static async start(): Promise<PackageServer> {
    const server = new PackageServer();
    server.#port = await listenOn(server.#server);
    return server;
  }

  /** A URL of the package, another one each time. */
  urlOf(built: BuiltPackage): string {
    this.#packages.set(`/${built.name}`, built);
    const query = new URLSearchParams({
      'X-Amz-Signature': URL_SECRET,
      'X-Amz-Date': String(++this.#signed),
    });
    return `http://127.0.0.1:${this.#port}/${built.name}?${query.toString()}`;
  }

  /** What orders the download of the package, by a URL of its own each time. */
  orderOf(built: BuiltPackage) {
    return {
      version: built.version,
      package_url: this.urlOf(built),
      package_name: built.name,
      package_size: built.size,
      package_md5: built.md5,
    };
  }

  /** Lets so many bytes through, and the rest when told. */
  holdAfter(bytes: number): { release: () => void } {
    let release: () => void = () => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    this.pace = (sent) => (sent < bytes ? undefined : released);
    return { release };
  }

  /** Cuts every connection that is open, in the middle of what it brings. */
  cut(): void {
    this.#server.closeAllConnections();
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
    const built = this.#packages.get(pathname);
    if (built === undefined || searchParams.get('X-Amz-Signature') !== URL_SECRET) {
      response.writeHead(built === undefined ? 404 : 403).end();
      return;
    }
    this.ranges.push(request.headers.range ?? '');
    const etag = `"${built.md5}"`;
    const first = firstByteAsked(request, etag);
    response.writeHead(first === 0 ? 200 : 206, {
      etag,
      'content-length': built.size - first,
      ...(first === 0 ? {} : { 'content-range': `bytes ${first}-${built.size - 1}/${built.size}` }),
    });
    await this.#send(built, first, response);
  }

  async #send(built: BuiltPackage, first: number, response: ServerResponse): Promise<void> {
    const closed = once(response, 'close');
    let sent = first;
    const pieces: AsyncIterable<Buffer> = createReadStream(built.path, {
      start: first,
      highWaterMark: PIECE_BYTES,
    });
    for await (const piece of pieces) {
      await Promise.race([this.pace(sent), closed]);
      if (response.destroyed) return;
      sent += piece.length;
      this.sentBytes += piece.length;
      if (!response.write(piece)) await Promise.race([once(response, 'drain'), closed]);
    }
    response.end();
  }
}

function firstByteAsked({ headers }: IncomingMessage, etag: string): number {
  const condition = headers['if-range'];
  if (condition !== undefined && condition !== etag) return 0;
  return Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0);
}
