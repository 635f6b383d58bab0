import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Ajv } from 'ajv';
import { BASE_PATH } from '../../http/route.js';
import { NODE_ENVIRONMENT, NODE_FLAGS } from '../release/node-flags.js';
import { readEvents, type StreamEvent } from './event-stream.js';

/** What the updater is known to be doing. */
export interface Doing {
  /** The machine's state, for example `restarting.settling`. */
  state: string;
  stage: string;
  percent: number;
}

export interface UpdaterOptions {
  environment: NodeJS.ProcessEnv;
  port: number;
  onEvent: (event: StreamEvent) => void;
  /** Everything is given up when it is aborted. */
  signal: AbortSignal;
}

/** How long it may take to answer after a start, ms. */
const START_MS = 10_000;
/** How long anything that is waited for may take, ms. */
const WAIT_MS = 30_000;
/** How long it may take to end when it is asked to (machine and recovery: Shutdown), ms. */
const STOP_MS = 5000;
const POLL_MS = 20;
const UNKNOWN: Doing = { state: 'none', stage: 'none', percent: 0 };

const isStateAnswer = new Ajv().compile<{ data: { statePath: string } }>({
  type: 'object',
  required: ['data'],
  properties: {
    data: { type: 'object', required: ['statePath'], properties: { statePath: { type: 'string' } } },
  },
});

/** The updater as a process of its own, which can be ordered about, watched, killed and started again. */
export class UpdaterProcess {
  readonly #options: UpdaterOptions;
  readonly #base: string;
  readonly #waiting = new Set<() => void>();
  #child: ChildProcess | null = null;
  #doing = UNKNOWN;
  #fault: Error | null = null;

  constructor(options: UpdaterOptions) {
    this.#options = options;
    this.#base = `http://127.0.0.1:${options.port}${BASE_PATH}`;
    options.signal.addEventListener('abort', () => this.#tell());
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** Starts it; answers when it takes orders and its events are listened to. */
  async start(): Promise<void> {
    this.#doing = UNKNOWN;
    const entry = fileURLToPath(new URL('updater-entry.js', import.meta.url));
    const { environment } = this.#options;
    const child = spawn(process.execPath, [...NODE_FLAGS, entry], {
      env: { ...NODE_ENVIRONMENT, ...environment },
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.#child = child;
    let complaint = '';
    child.stderr?.on('data', (chunk: Buffer) => (complaint = `${complaint}${chunk.toString()}`.slice(-2000)));
    child.once('exit', (code, signal) => {
      if (this.#child !== child) return;
      this.#child = null;
      this.#fail(new Error(`the updater ended by itself (${code ?? signal ?? '?'}): ${complaint}`));
    });
    await this.#untilItAnswers();
    this.#listen().catch((error: unknown) =>
      this.#fail(error instanceof Error ? error : new Error(String(error))),
    );
  }

  /** SIGKILL. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** SIGTERM, and SIGKILL where that takes too long; answers with the exit code, null where a signal ended it. */
  stop(): Promise<number | null> {
    return this.#end('SIGTERM');
  }

  /** POSTs an order; answers with what the updater said. Throws for an answer that is not 200 in its body too. */
  async order(path: string, body: object): Promise<string> {
    const response = await fetch(`${this.#base}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const answer: unknown = await response.json();
    const isGood = typeof answer === 'object' && answer !== null && 'code' in answer && answer.code === 200;
    if (!isGood) throw new Error(`POST ${path}: ${JSON.stringify(answer)}`);
    return JSON.stringify(answer);
  }

  /** Waits until what it does is such. Throws where it ends unasked, where it takes too long, or when all is given up. */
  async until(holds: (doing: Doing) => boolean): Promise<void> {
    const deadline = AbortSignal.timeout(WAIT_MS);
    const onDeadline = () => this.#tell();
    deadline.addEventListener('abort', onDeadline);
    try {
      for (;;) {
        this.#options.signal.throwIfAborted();
        if (this.#fault !== null) throw this.#fault;
        if (holds(this.#doing)) return;
        if (deadline.aborted) throw new Error(`waited ${WAIT_MS / 1000} s; it is in ${this.#doing.state}`);
        await new Promise<void>((resolve) => this.#waiting.add(resolve));
      }
    } finally {
      deadline.removeEventListener('abort', onDeadline);
    }
  }

  async #untilItAnswers(): Promise<void> {
    const deadline = performance.now() + START_MS;
    for (;;) {
      this.#options.signal.throwIfAborted();
      if (this.#fault !== null) throw this.#fault;
      if (performance.now() > deadline)
        throw new Error(`the updater does not answer within ${START_MS / 1000} s`);
      const answer = await fetch(`${this.#base}/state`).catch(() => null);
      const body: unknown = await answer?.json();
      if (isStateAnswer(body)) {
        this.#doing = { ...UNKNOWN, state: body.data.statePath };
        return;
      }
      await sleep(POLL_MS);
    }
  }

  async #listen(): Promise<void> {
    const child = this.#child;
    for await (const event of readEvents(`${this.#base}/events`)) {
      if (this.#child !== child) return;
      if (event.type === 'transition') this.#doing = { ...this.#doing, state: event.data.to };
      else this.#doing = { ...this.#doing, stage: event.data.stage, percent: event.data.progress };
      this.#options.onEvent(event);
      this.#tell();
    }
  }

  async #end(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#child;
    if (child === null) return null;
    this.#child = null;
    const ended = once(child, 'exit');
    child.kill(signal);
    const patience = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    await ended;
    clearTimeout(patience);
    return child.exitCode;
  }

  #fail(error: Error): void {
    this.#fault ??= error;
    this.#tell();
  }

  #tell(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const wake of waiting) wake();
  }
}
