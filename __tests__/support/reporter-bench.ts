import { afterEach } from '@jest/globals';
import type { Report } from '../../machines/report-outbox.js';
import type { Stage, TopState } from '../../machines/stage.js';
import type { Log } from '../../services/log/log.js';
import { Reporter, type ReporterOptions } from '../../services/reporting/reporter.js';
import { atEndOf } from './life.js';
import { ReportListener } from './report-listener.js';

const made: Reporter[] = [];

afterEach(() => {
  for (const reporter of made.splice(0)) reporter.stop();
});

/** A reporter with the machine's outbox before it: what was delivered leaves the outbox a moment later. */
export class ReporterBench {
  readonly delivered: number[] = [];
  readonly lines: string[] = [];
  readonly reporter: Reporter;
  #outbox: Report[] = [];
  #nextId = 1;

  constructor(api: ReportListener, also: Partial<ReporterOptions> = {}) {
    this.reporter = new Reporter({
      deviceApiUrl: api.url,
      log: this.#log(),
      onDelivered: (id) => {
        this.delivered.push(id);
        setTimeout(() => {
          this.#outbox = this.#outbox.filter((report) => report.id !== id);
          this.reporter.offer(this.#outbox);
        }, 5);
      },
      attemptMs: 300,
      retryMs: 20,
      longestRetryMs: 80,
      ...also,
    });
    made.push(this.reporter);
  }

  /** The machine enters a stage and saves. */
  enter(stage: Stage, progress = 0, error: string | null = null): void {
    this.#outbox.push({ id: this.#nextId++, stage, progress, message: `now ${stage}`, error });
    this.reporter.offer(this.#outbox);
  }

  /** As the machine does where there are too many. */
  forgetOldest(): void {
    this.#outbox.shift();
    this.reporter.offer(this.#outbox);
  }

  progress(state: TopState, ...percents: number[]): void {
    for (const percent of percents) this.reporter.progress(state, { percent, message: `${percent} %` });
  }

  #log(): Log {
    const write = (message: string) => this.lines.push(message);
    return { debug: () => undefined, info: write, warn: write, error: write };
  }
}

/** A device-api that hears reports, until the test has ended. */
export async function deviceApi(): Promise<ReportListener> {
  const api = await ReportListener.start();
  atEndOf('test', () => api.goAway());
  return api;
}
