import { request as requestPlain, type ClientRequest } from 'node:http';
import { request as requestTls } from 'node:https';
import type { Report, ReportBody } from '../../machines/report-outbox.js';
import { STAGES, type Progress, type Stage, type TopState } from '../../machines/stage.js';
import type { Log } from '../log/log.js';

/** Progress is told when another multiple of this many percent has been reached. */
const PROGRESS_STEP = 5;

export interface ReporterOptions {
  /** Where device-api listens, for example `http://localhost:9080`. */
  deviceApiUrl: string;
  log: Log;
  /** device-api has acknowledged this report. */
  onDelivered: (id: number) => void;
  /** How long one attempt may take. */
  attemptMs?: number;
  /** The wait after the first failure; it doubles with each further one. */
  retryMs?: number;
  longestRetryMs?: number;
}

type Outgoing = ReportBody & { id: number | null };

/**
 * Tells device-api what happens, one report after the other, and never holds anything up. Stage reports stay until
 * they are acknowledged. Of progress only the newest waits, always behind the report of its own stage: once a stage is
 * over nobody wants to know how far it was, so what is left of it is dropped.
 */
export class Reporter {
  readonly #options: Required<ReporterOptions>;
  readonly #url: URL;
  #stages: Report[] = [];
  #progress: Outgoing | null = null;
  #sending: Outgoing | null = null;

  /** The newest id that was taken: the same report is offered until the machine has dropped it. */
  #newestId = 0;
  /** The stage that was told last; null while none is known, right after a start. */
  #stage: Stage | null = null;
  /** The stage whose progress is counted, and the multiple that was told last. */
  #counted: { stage: Stage | null; step: number } = { stage: null, step: 0 };

  #failures = 0;
  #retryTimer: NodeJS.Timeout | null = null;
  readonly #open = new Set<ClientRequest>();
  #isStopped = false;

  constructor(options: ReporterOptions) {
    this.#options = { attemptMs: 5000, retryMs: 1000, longestRetryMs: 60_000, ...options };
    this.#url = new URL(`${options.deviceApiUrl.replace(/\/+$/, '')}/api/v1.0/ota/report`);
  }

  /**
   * Takes what waits in the machine's outbox, after the save of its state. What the machine has given up (its outbox
   * is bounded) is given up here too. A new stage is tried at once, even while waiting to try again.
   */
  offer(waiting: readonly Report[]): void {
    const kept = new Set(waiting.map(({ id }) => id));
    this.#stages = this.#stages.filter(({ id }) => kept.has(id));
    const fresh = waiting.filter(({ id }) => id > this.#newestId);
    for (const report of fresh) this.#take(report);
    if (fresh.length > 0) this.#clearRetry();
    this.#sendNext();
  }

  /** Takes how far a stage is; told to device-api where another step of 5 % has been reached. */
  progress(state: TopState, { percent, message }: Progress): void {
    const stage = STAGES[state];
    if (this.#counted.stage !== stage) this.#counted = { stage, step: 0 };
    const step = Math.floor(percent / PROGRESS_STEP);
    if (step <= this.#counted.step) return;
    this.#counted.step = step;
    this.#progress = { id: null, stage, progress: percent, message, error: null };
    this.#sendNext();
  }

  /** Ends what is going on; nothing is sent any more. */
  stop(): void {
    this.#isStopped = true;
    this.#clearRetry();
    for (const post of this.#open) post.destroy();
  }

  #take(report: Report): void {
    this.#newestId = report.id;
    this.#stages.push(report);
    this.#stage = report.stage;
    if (this.#progress?.stage !== report.stage) this.#progress = null;
    if (this.#counted.stage === report.stage) return;
    this.#counted = { stage: report.stage, step: Math.floor(report.progress / PROGRESS_STEP) };
  }

  #next(): Outgoing | null {
    const [first] = this.#stages;
    if (first !== undefined) return first;
    return this.#progress !== null && this.#isCurrent(this.#progress.stage) ? this.#progress : null;
  }

  /** Progress may come before the save of its stage: it waits for the stage's own report. */
  #isCurrent(stage: Stage): boolean {
    return this.#stage === null || this.#stage === stage;
  }

  #sendNext(): void {
    if (this.#isStopped || this.#sending !== null || this.#retryTimer !== null) return;
    const next = this.#next();
    if (next === null) return;
    if (next === this.#progress) this.#progress = null;
    this.#sending = next;
    this.#attempt(next, (fault) => {
      this.#sending = null;
      if (this.#isStopped) return;
      if (fault === null) this.#delivered(next);
      else this.#failed(next, fault);
      this.#sendNext();
    });
  }

  #delivered({ id }: Outgoing): void {
    if (this.#failures > 0) this.#options.log.debug('device-api takes reports again');
    this.#failures = 0;
    if (id === null) return;
    this.#stages = this.#stages.filter((report) => report.id !== id);
    this.#options.onDelivered(id);
  }

  #failed(report: Outgoing, fault: string): void {
    const { log, retryMs, longestRetryMs } = this.#options;
    if (this.#failures === 0) log.warn('device-api does not take reports; trying on', { fault });
    const waitMs = Math.min(longestRetryMs, retryMs * 2 ** this.#failures);
    this.#failures = Math.min(this.#failures + 1, 30);
    const isNewest = report.id === null && this.#progress === null;
    if (isNewest && this.#isCurrent(report.stage)) this.#progress = report;
    this.#retryTimer = setTimeout(() => {
      this.#retryTimer = null;
      this.#sendNext();
    }, waitMs);
  }

  #clearRetry(): void {
    if (this.#retryTimer !== null) clearTimeout(this.#retryTimer);
    this.#retryTimer = null;
  }

  /** One delivery. Calls back once: with null where device-api acknowledged, else with what was wrong. */
  #attempt({ stage, progress, message, error }: Outgoing, done: (fault: string | null) => void): void {
    const body = Buffer.from(JSON.stringify({ stage, progress, message, error }));
    const headers = { 'content-type': 'application/json', 'content-length': body.length };
    // A connection of its own each time: one that was kept is dead after device-api's restart.
    const request = this.#url.protocol === 'https:' ? requestTls : requestPlain;
    const post = request(this.#url, { method: 'POST', headers, agent: false });
    this.#open.add(post);
    let isDone = false;
    const finish = (fault: string | null): void => {
      if (isDone) return;
      isDone = true;
      done(fault);
    };
    const limit = setTimeout(() => {
      post.destroy();
      finish('no answer in time');
    }, this.#options.attemptMs);
    post.on('response', (answer) => {
      const { statusCode = 0 } = answer;
      finish(statusCode >= 200 && statusCode < 300 ? null : `answer ${statusCode}`);
      // What it says is not read, but it may finish saying it.
      answer.on('error', () => undefined).resume();
    });
    post.on('error', (failure) => finish('code' in failure ? String(failure.code) : failure.message));
    post.on('close', () => {
      clearTimeout(limit);
      this.#open.delete(post);
      finish('connection closed');
    });
    post.end(body);
  }
}
