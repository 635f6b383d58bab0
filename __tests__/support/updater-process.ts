import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { until } from './until.js';

/** How a started updater ended. */
export interface UpdaterEnd {
  exitCode: number | null;
  signal: NodeJS.Signals | null;
  /** From the signal that was sent (or the start, where none was) to its end. */
  tookMs: number;
  stdout: string;
  stderr: string;
}

export interface UpdaterEntry {
  /** A built file, from the folder of built files on; `scripts/tope-updater.js` if absent. */
  file?: string;
  args?: readonly string[];
  /** A program, with its arguments, that becomes the updater: it gets the command to run as its last arguments. */
  under?: readonly string[];
}

const ENDS_WITHIN_MS = 60_000;

/** One run of the built updater as a process of its own. */
export class UpdaterProcess {
  readonly #child: ChildProcess;
  #stdout = '';
  #stderr = '';
  #sinceMs = performance.now();
  readonly #ended: Promise<unknown>;

  constructor(
    environment: NodeJS.ProcessEnv,
    { file = 'scripts/tope-updater.js', args = ['serve'], under = [] }: UpdaterEntry = {},
  ) {
    const path = fileURLToPath(new URL(`../../${file}`, import.meta.url));
    const [program = process.execPath, ...rest] = [...under, process.execPath, path, ...args];
    this.#child = spawn(program, rest, {
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child.stdout?.setEncoding('utf8').on('data', (words: string) => (this.#stdout += words));
    this.#child.stderr?.setEncoding('utf8').on('data', (words: string) => (this.#stderr += words));
    this.#ended = once(this.#child, 'close');
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** The port, once the updater says that it listens. Fails where it ends before that. */
  async listening(): Promise<number> {
    return until('the updater listens', () => {
      const port = /the updater listens .*\bport=(\d+)/.exec(this.#stdout)?.[1];
      if (port !== undefined) return Number(port);
      if (this.isRunning) return null;
      throw new Error(`the updater ended before it listened: ${this.#stdout}${this.#stderr}`);
    });
  }

  /** Sends a signal and waits for the end. */
  async end(signal: NodeJS.Signals): Promise<UpdaterEnd> {
    this.#sinceMs = performance.now();
    this.#child.kill(signal);
    return this.ended();
  }

  /** Waits for the end. Fails, with what it has said so far, where that does not come within 60 s. */
  async ended(): Promise<UpdaterEnd> {
    const isOver = this.#ended.then(() => true);
    if (!(await Promise.race([isOver, wait(ENDS_WITHIN_MS, false, { ref: false })])))
      throw new Error(`still running after ${ENDS_WITHIN_MS} ms: ${this.#stdout}${this.#stderr}`);
    const { exitCode, signalCode } = this.#child;
    const tookMs = performance.now() - this.#sinceMs;
    return { exitCode, signal: signalCode, tookMs, stdout: this.#stdout, stderr: this.#stderr };
  }
}
