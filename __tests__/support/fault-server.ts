import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { once } from 'node:events';
import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach } from '@jest/globals';
import { SIGNED, SIGNED_KEY } from './certificate.js';

/** A request as the server saw it. */
export interface Seen {
  path: string;
  headers: IncomingMessage['headers'];
}

export interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
  /** Writes a piece of the body, counted, and answers when the kernel has it. */
  send: (bytes: Uint8Array) => Promise<void>;
  /** Closes the connection once everything written is on its way, with the answer unfinished. */
  cut: () => void;
}

/** What the server does with one request. */
export type Behaviour = (exchange: Exchange) => Promise<void> | void;

const running = new Set<FaultServer>();

afterEach(async () => {
  for (const server of running) await server.close();
});

/** A real HTTP server that misbehaves as it is told, request by request. The last behaviour is kept up. */
export class FaultServer {
  readonly seen: Seen[] = [];
  /** Bytes of bodies that were handed to the kernel. */
  sentBytes = 0;
  readonly #server: Server;
  readonly #scheme: string;
  #script: Behaviour[];

  private constructor(script: Behaviour[], scheme: 'http' | 'https', cert = SIGNED) {
    this.#script = script;
    this.#scheme = scheme;
    const serve = (request: IncomingMessage, response: ServerResponse) => void this.#serve(request, response);
    this.#server =
      scheme === 'http' ? createServer(serve) : createTlsServer({ cert, key: SIGNED_KEY }, serve);
  }

  static async start(...script: Behaviour[]): Promise<FaultServer> {
    return new FaultServer(script, 'http').#listen();
  }

  static async startTls(...script: Behaviour[]): Promise<FaultServer> {
    return new FaultServer(script, 'https').#listen();
  }

  /** With another certificate than a good one. */
  static async startTlsWith(cert: string, ...script: Behaviour[]): Promise<FaultServer> {
    return new FaultServer(script, 'https', cert).#listen();
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  url(path = '/package.zip', host = '127.0.0.1'): string {
    return `${this.#scheme}://${host}:${this.port}${path}`;
  }

  /** From the next request on. */
  behave(...script: Behaviour[]): void {
    this.#script = script;
  }

  async close(): Promise<void> {
    running.delete(this);
    this.#server.closeAllConnections();
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #listen(): Promise<this> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    running.add(this);
    return this;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.seen.push({ path: request.url ?? '', headers: request.headers });
    response.on('error', () => undefined);
    const behaviour = this.#script.length > 1 ? this.#script.shift() : this.#script[0];
    await behaviour?.({
      request,
      response,
      send: async (bytes) => {
        if (response.destroyed) return;
        this.sentBytes += bytes.length;
        if (!response.write(bytes)) await drained(response);
      },
      cut: () => request.socket.destroySoon(),
    });
  }
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.off('drain', done).off('close', done);
      resolve();
    };
    response.on('drain', done).on('close', done);
  });
}

export interface FileOptions {
  /** Null: none is sent. */
  etag?: string | null;
  lastModified?: string | null;
  /** Do not say how long it is. */
  chunked?: boolean;
  /** Take no notice of Range. */
  ignoresRange?: boolean;
  /** Take no notice of If-Range. */
  ignoresIfRange?: boolean;
  /** Close the connection after so many bytes of this answer. */
  cutAfter?: number;
  /** Say nothing more after so many bytes of this answer. */
  stallAfter?: number;
  /** So many bytes at a time, … */
  pieceBytes?: number;
  /** … so long after each other. */
  pauseMs?: number;
  headers?: Record<string, string>;
}

/** An honest file server, but for what the options say. */
export function file(content: Uint8Array, options: FileOptions = {}): Behaviour {
  const { etag = '"one"', lastModified = null, chunked = false, headers = {} } = options;
  const named = {
    ...(etag === null ? {} : { etag }),
    ...(lastModified === null ? {} : { 'last-modified': lastModified }),
  };
  return async (exchange) => {
    const { request, response } = exchange;
    const start = options.ignoresRange === true ? 0 : startAsked(request, options, etag ?? lastModified);
    if (start >= content.length && start > 0) {
      response.writeHead(416, { 'content-range': `bytes */${content.length}` }).end();
      return;
    }
    const body = content.subarray(start);
    const range = `bytes ${start}-${content.length - 1}/${content.length}`;
    response.writeHead(start > 0 ? 206 : 200, {
      ...named,
      ...(chunked ? {} : { 'content-length': String(body.length) }),
      ...(start > 0 ? { 'content-range': range } : {}),
      ...headers,
    });
    await sendBody(exchange, body, options);
  };
}

function startAsked({ headers }: IncomingMessage, options: FileOptions, validator: string | null): number {
  const start = Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0);
  const condition = headers['if-range'];
  const holds = condition === undefined || condition === validator || options.ignoresIfRange === true;
  return holds ? start : 0;
}

async function sendBody(exchange: Exchange, body: Uint8Array, options: FileOptions): Promise<void> {
  const { cutAfter = Infinity, stallAfter = Infinity, pieceBytes = 64 * 1024, pauseMs = 0 } = options;
  const end = Math.min(body.length, cutAfter, stallAfter);
  for (let at = 0; at < end && !exchange.response.destroyed; at += pieceBytes) {
    if (at > 0 && pauseMs > 0) await wait(pauseMs);
    await exchange.send(body.subarray(at, Math.min(end, at + pieceBytes)));
  }
  if (stallAfter < body.length) return;
  if (cutAfter < body.length) exchange.cut();
  else exchange.response.end();
}

/** An answer without the package. */
export function answer(status: number, headers: Record<string, string> = {}): Behaviour {
  return ({ response }) => {
    response.writeHead(status, headers).end('not the package');
  };
}

/** An answer whose status and headers are given, with this body. */
export function raw(status: number, headers: Record<string, string>, body: Uint8Array): Behaviour {
  return async ({ response, send }) => {
    response.writeHead(status, headers);
    await send(body);
    response.end();
  };
}

export function redirect(location: string, status = 302): Behaviour {
  return answer(status, { location });
}

/** Takes the request and never says a word. */
export const silence: Behaviour = () => undefined;

/** Closes the connection in the middle of the headers. */
export const cutHeaders: Behaviour = ({ request }) => {
  request.socket.end('HTTP/1.1 200 OK\r\nContent-Le');
};

/** A package whose bytes are of no order, so that one in the wrong place changes the digest. */
export function makePackage(size: number) {
  const content = randomBytes(size);
  const md5 = createHash('md5').update(content).digest('hex');
  return { content, identity: { version: '1.2.3', md5, size } };
}
