import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { until } from './until.js';
import { numberOf, textOf } from './json-fields.js';
import { listenOn } from './local-server.js';

/** A report as it arrived. */
export interface HeardReport {
  method: string;
  path: string;
  /** Its content type. */
  type: string;
  /** The body, byte for byte. */
  raw: string;
  body: unknown;
  stage: string;
  /** performance.now() at its arrival. */
  atMs: number;
}

const HOST = '127.0.0.2';

/**
 * Stands in for device-api: hears reports and acknowledges them, or answers otherwise; can go away and come back on the
 * same port.
 */
export class ReportListener {
  readonly heard: HeardReport[] = [];
  /** How a report is answered: acknowledged, where nothing else is wanted. */
  answer: (response: ServerResponse) => void = (response) => response.end('{"code":200}');
  readonly #listeners = new Set<(report: HeardReport) => void>();
  #server: Server | null = null;
  #port = 0;

  static async start(): Promise<ReportListener> {
    const listener = new ReportListener();
    await listener.comeBack();
    return listener;
  }

  get url(): string {
    return `http://${HOST}:${this.#port}`;
  }

  /** The stages that were told, each once for the reports in a row that tell it. */
  get stages(): string[] {
    const all = this.heard.map(({ stage }) => stage);
    return all.filter((stage, at) => stage !== all[at - 1]);
  }

  /** What was heard, each as `stage progress`. */
  get words(): string[] {
    return this.heard.map(({ body, stage }) => `${stage} ${numberOf(body, 'progress')}`);
  }

  /** Answers as soon as a report fits, one that was heard before the call too (see `from`). */
  async hears(
    what: string,
    fits: (report: HeardReport) => boolean,
    { from = 0, withinMs = 20_000 } = {},
  ): Promise<HeardReport> {
    const before = this.heard.slice(from).find(fits);
    if (before !== undefined) return before;
    return new Promise((resolve, reject) => {
      const listen = (report: HeardReport) => {
        if (!fits(report)) return;
        clearTimeout(limit);
        this.#listeners.delete(listen);
        resolve(report);
      };
      const limit = setTimeout(() => {
        this.#listeners.delete(listen);
        const words = this.heard.map(({ raw }) => raw).join('\n');
        reject(new Error(`${what}: not heard within ${withinMs} ms, but\n${words}`));
      }, withinMs);
      this.#listeners.add(listen);
    });
  }

  /** Answers as soon as a report of the stage is heard. */
  hearsStage(stage: string, how: { from?: number; withinMs?: number } = {}): Promise<HeardReport> {
    return this.hears(`a report of ${stage}`, (report) => report.stage === stage, how);
  }

  /** Answers as soon as so many reports were heard. */
  async hearsSoMany(count: number): Promise<void> {
    await this.hears(`${count} reports`, () => this.heard.length >= count, { withinMs: 5000 });
  }

  /** Listens no more: whoever calls is refused. */
  async goAway(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    if (server === null) return;
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  }

  async comeBack(): Promise<void> {
    const server = createServer((request, response) => {
      text(request).then(
        (raw) => {
          this.answer(response);
          const { method = '', url: path = '', headers } = request;
          const body: unknown = JSON.parse(raw);
          const report = { method, path, type: headers['content-type'] ?? '', raw, body };
          this.#hear({ ...report, stage: textOf(body, 'stage'), atMs: performance.now() });
        },
        () => response.destroy(),
      );
    });
    this.#server = server;
    this.#port = await until('the port of device-api', () =>
      listenOn(server, HOST, this.#port).catch(() => null),
    );
  }

  #hear(report: HeardReport): void {
    this.heard.push(report);
    for (const listener of [...this.#listeners]) listener(report);
  }
}
