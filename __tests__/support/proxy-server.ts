import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { afterEach } from '@jest/globals';
import { listenOn } from './local-server.js';

/** A request as the proxy saw it: for a tunnel, all that it can see. */
export interface Proxied {
  line: string;
  headers: IncomingMessage['headers'];
}

export interface ProxyFaults {
  /** Answers every request with this status, and opens no tunnel. */
  refuses?: { status: number; headers?: Record<string, string> };
  /** Takes requests and never answers. */
  isSilent?: boolean;
  /** Cuts each connection once so many bytes have come from the server. */
  cutAfter?: number;
}

const running = new Set<ProxyServer>();

afterEach(async () => {
  for (const proxy of running) await proxy.close();
});

/** A real HTTP proxy. Whatever a server is called, it is looked for on this machine, at the port that was asked for. */
export class ProxyServer {
  readonly seen: Proxied[] = [];
  readonly #faults: ProxyFaults;
  readonly #server = createServer();
  readonly #sockets = new Set<Duplex>();
  #port = 0;

  private constructor(faults: ProxyFaults) {
    this.#faults = faults;
    this.#server.on('connection', (socket) => this.#hold(socket));
    this.#server.on('request', (asked, answer) => this.#forward(asked, answer));
    this.#server.on('connect', (asked: IncomingMessage, socket: Duplex) => this.#tunnel(asked, socket));
  }

  static async start(faults: ProxyFaults = {}): Promise<ProxyServer> {
    const proxy = new ProxyServer(faults);
    proxy.#port = await listenOn(proxy.#server);
    running.add(proxy);
    return proxy;
  }

  get port(): number {
    return this.#port;
  }

  url(userinfo = ''): string {
    return `http://${userinfo}127.0.0.1:${this.#port}`;
  }

  close(): Promise<void> {
    running.delete(this);
    for (const socket of this.#sockets) socket.destroy();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  #note({ method = '', url = '', headers }: IncomingMessage): void {
    this.seen.push({ line: `${method} ${url}`, headers });
  }

  #forward(asked: IncomingMessage, answer: ServerResponse): void {
    this.#note(asked);
    const { refuses, isSilent = false, cutAfter = Infinity } = this.#faults;
    if (isSilent) return;
    if (refuses !== undefined) {
      answer.writeHead(refuses.status, refuses.headers).end('refused');
      return;
    }
    const { pathname, search, port } = new URL(asked.url ?? '');
    const headers = Object.fromEntries(
      Object.entries(asked.headers).filter(([name]) => name !== 'proxy-authorization'),
    );
    const onward = request({ port, path: `${pathname}${search}`, headers, agent: false }, (answered) => {
      answer.writeHead(answered.statusCode ?? 0, answered.headers);
      answered.pipe(answer);
      answered.on('error', () => asked.socket.destroySoon());
      let passed = 0;
      answered.on('data', (bytes: Buffer) => {
        if ((passed += bytes.length) >= cutAfter) asked.socket.destroySoon();
      });
    });
    onward.on('error', () => answer.destroy());
    answer.on('close', () => onward.destroy());
    onward.end();
  }

  #tunnel(asked: IncomingMessage, socket: Duplex): void {
    this.#note(asked);
    const { refuses, isSilent = false, cutAfter = Infinity } = this.#faults;
    socket.on('error', () => undefined);
    if (isSilent) return;
    if (refuses !== undefined) {
      const lines = Object.entries(refuses.headers ?? {}).map(([name, value]) => `${name}: ${value}\r\n`);
      socket.end(`HTTP/1.1 ${refuses.status} Refused\r\n${lines.join('')}content-length: 0\r\n\r\n`);
      return;
    }
    const server = connect(Number(asked.url?.split(':').at(-1)), '127.0.0.1');
    this.#hold(server);
    server.on('error', () => socket.destroy()).on('close', () => socket.end());
    socket.on('close', () => server.destroy());
    socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
    let passed = 0;
    server.on('data', (bytes: Buffer) => {
      socket.write(bytes);
      if ((passed += bytes.length) >= cutAfter) socket.end();
    });
    socket.pipe(server);
  }

  #hold(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
  }
}
