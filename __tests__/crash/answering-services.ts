import { spawnSync } from 'node:child_process';
import {
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { startSupervisor, type Supervisor } from '../../scripts/demo/supervisor.js';
import { isSystemError } from '../../services/disk.js';
import { until } from '../support/until.js';
import { listenOn } from '../support/local-server.js';
import { SERVICES, type Service } from './releases.js';

const ANSWER_MS = 4000;
/** Within the time that a package gives its health check. */
const HEALTH_MS = 1500;

/** The services of a device, run by a supervisor in this process; each can be asked which version it is. */
export class AnsweringServices {
  /** Where their FIFOs are. */
  readonly runDir: string;
  readonly supervisor: Supervisor;
  readonly #health: Server;
  #healthPort = 0;
  #questions = 0;

  private constructor(runDir: string, supervisor: Supervisor) {
    this.runDir = runDir;
    this.supervisor = supervisor;
    this.#health = createServer((request, response) => {
      this.ask(request.url?.slice(1) ?? '', HEALTH_MS).then(
        () => response.end(),
        () => response.writeHead(503).end(),
      );
    });
  }

  /** Services whose programs are `root/NAME/NAME`; none is started yet. */
  static async of(folder: string, root: string): Promise<AnsweringServices> {
    const runDir = join(folder, 'run');
    const supervisor = await startSupervisor(
      SERVICES.map((service) => ({
        unit: `${service}.service`,
        command: ['/bin/sh', join(root, service, service)],
        environment: { RUN: runDir },
      })),
      join(folder, 'supervisor'),
      { restartMs: 20, mostRestarts: 2 },
    );
    const services = new AnsweringServices(runDir, supervisor);
    services.#healthPort = await listenOn(services.#health);
    services.makeFifos();
    return services;
  }

  makeFifos(): void {
    rmSync(this.runDir, { recursive: true, force: true });
    mkdirSync(this.runDir);
    for (const service of SERVICES) spawnSync('mkfifo', [join(this.runDir, `${service}.fifo`)]);
  }

  /** Makes a file that the services look for: `broken-NAME-VERSION` does not run, `stubborn-NAME` ignores SIGTERM. */
  mark(name: string): void {
    writeFileSync(join(this.runDir, name), '');
  }

  /** Removes all marks. */
  unmark(): void {
    for (const name of readdirSync(this.runDir))
      if (/^(?:broken|stubborn)-/.test(name)) rmSync(join(this.runDir, name));
  }

  /** What post commands have written, line by line. */
  postCommands(): string[] {
    const path = join(this.runDir, 'post-commands');
    return existsSync(path) ? readFileSync(path, 'utf8').split('\n') : [];
  }

  start(): void {
    for (const service of SERVICES) {
      const unit = this.supervisor.unit(`${service}.service`);
      unit.resetFailed();
      unit.start();
    }
  }

  async stop(): Promise<void> {
    await Promise.all(SERVICES.map((service) => this.supervisor.unit(`${service}.service`).end()));
  }

  healthUrl(service: Service): string {
    return `http://127.0.0.1:${this.#healthPort}/${service}`;
  }

  /** Asks the process that runs which version it was started from. Rejects where none answers in time. */
  async ask(service: string, withinMs = ANSWER_MS): Promise<string> {
    const answer = join(this.runDir, `answer-${this.#questions++}`);
    let asked = 0;
    try {
      return await until(
        `an answer of ${service}`,
        () => {
          const text = existsSync(answer) ? readFileSync(answer, 'utf8') : '';
          if (text.endsWith('\n')) return text.trim();
          // A process that ends takes what it was asked with it.
          if (asked++ % 50 === 0) this.#question(service, answer);
          return null;
        },
        withinMs,
      );
    } finally {
      rmSync(answer, { force: true });
    }
  }

  #question(service: string, answer: string): void {
    try {
      const fifo = openSync(join(this.runDir, `${service}.fifo`), constants.O_WRONLY | constants.O_NONBLOCK);
      writeSync(fifo, `${answer}\n`);
      closeSync(fifo);
    } catch (error) {
      if (!isSystemError(error, 'ENXIO')) throw error;
    }
  }

  async close(): Promise<void> {
    this.#health.closeAllConnections();
    await new Promise((resolve) => this.#health.close(resolve));
    await this.supervisor.close();
  }
}
