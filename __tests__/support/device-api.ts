import { createServer, type Server, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach } from '@jest/globals';

/** A report as it arrived. */
export interface Heard {
  method: string;
  path: string;
  type: string;
  body: unknown;
  atMs: number;
}

const running = new Set<DeviceApi>();

afterEach(async () => {
  for (const api of running) await api.goAway();
});

/** A device-api that takes reports, and can be away, hang or refuse. */
export class DeviceApi {
  readonly heard: Heard[] = [];
  /** Decides how a report is answered; by default with 200. */
  answer: (response: ServerResponse, heard: Heard) => void = (response) => response.end('{"code":200}');
  #server: Server | null = null;
  #port = 0;

  static async start(): Promise<DeviceApi> {
    const api = new DeviceApi();
    await api.comeBack();
    return api;
  }

  get url(): string {
    return `http://localhost:${this.#port}`;
  }

  /** What was heard, each as `stage progress`. */
  get words(): string[] {
    return this.heard.map(({ body }) => wordsOf(body));
  }

  async goAway(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    running.delete(this);
    if (server === null) return;
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  }

  /** Listens, on the same port as before. */
  async comeBack(): Promise<void> {
    const server = createServer((request, response) => {
      void text(request).then(
        (body) => {
          const { method = '', url: path = '', headers } = request;
          const parsed: unknown = JSON.parse(body);
          const heard = { method, path, type: headers['content-type'] ?? '', body: parsed, atMs: Date.now() };
          this.heard.push(heard);
          this.answer(response, heard);
        },
        () => undefined,
      );
    });
    server.listen(this.#port, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    this.#port = typeof address === 'object' && address !== null ? address.port : 0;
    this.#server = server;
    running.add(this);
  }

  /** Waits until so many reports were heard, five seconds at most; fails with what was heard. */
  async hears(count: number): Promise<void> {
    for (let tries = 0; tries < 500 && this.heard.length < count; tries++) await wait(10);
    if (this.heard.length < count) throw new Error(`heard only ${JSON.stringify(this.words)}`);
  }
}

function wordsOf(body: unknown): string {
  if (typeof body !== 'object' || body === null || !('stage' in body) || !('progress' in body)) return '?';
  return `${String(body.stage)} ${String(body.progress)}`;
}
