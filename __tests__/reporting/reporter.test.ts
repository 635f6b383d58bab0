import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, expect, test } from '@jest/globals';
import type { Report } from '../../machines/report-outbox.js';
import type { Stage, TopState } from '../../machines/stage.js';
import type { Log } from '../../services/log/log.js';
import { Reporter, type ReporterOptions } from '../../services/reporting/reporter.js';
import { atEndOf } from '../support/life.js';
import { ReportListener } from '../support/report-listener.js';
import { until } from '../support/until.js';
import { answer, FaultServer } from '../support/fault-server.js';

const made: Reporter[] = [];

afterEach(() => {
  for (const reporter of made.splice(0)) reporter.stop();
});

/** A reporter with the machine's outbox before it: what was delivered leaves the outbox a moment later. */
class Bench {
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

async function deviceApi(): Promise<ReportListener> {
  const api = await ReportListener.start();
  atEndOf('test', () => api.goAway());
  return api;
}

const refuse = (status: number) => (response: { writeHead: (status: number) => { end: () => unknown } }) => {
  response.writeHead(status).end();
};

test('a report has exactly the four fields, and is posted as JSON [W-57]', async () => {
  const api = await deviceApi();
  new Bench(api).enter('failed', 42, 'MD5_MISMATCH: other bytes');
  await api.hearsSoMany(1);
  expect(api.heard).toMatchObject([
    { method: 'POST', path: '/api/v1.0/ota/report', type: 'application/json' },
  ]);
  expect(api.heard[0]?.body).toEqual({
    stage: 'failed',
    progress: 42,
    message: 'now failed',
    error: 'MD5_MISMATCH: other bytes',
  });
});

test('stages arrive in order, each once, and are told to be delivered [W-58]', async () => {
  const api = await deviceApi();
  const bench = new Bench(api);
  const stages = ['downloading', 'verifying', 'toInstall', 'installing', 'rebooting', 'success'] as const;
  for (const stage of stages) bench.enter(stage);
  await until('every stage is delivered', () => bench.delivered.length === 6);
  expect(api.words).toEqual(stages.map((stage) => `${stage} 0`));
  expect(bench.delivered).toEqual([1, 2, 3, 4, 5, 6]);
});

test('progress is told at every 5 %, with the true percent, behind its stage and before the next [W-60]', async () => {
  const api = await deviceApi();
  const bench = new Bench(api);
  bench.enter('downloading');
  await api.hearsSoMany(1);
  const heardAfter = { 0: 1, 3: 1, 4: 1, 5: 2, 6: 2, 9: 2, 10: 3, 17: 4, 19: 4, 20: 5 };
  for (const [percent, heard] of Object.entries(heardAfter)) {
    bench.progress('downloading', Number(percent));
    await api.hearsSoMany(heard);
  }
  bench.enter('verifying');
  await api.hearsSoMany(6);
  expect(api.words).toEqual([
    'downloading 0',
    'downloading 5',
    'downloading 10',
    'downloading 17',
    'downloading 20',
    'verifying 0',
  ]);
});

test('each stage counts its own steps, also one that is entered again [W-60]', async () => {
  const api = await deviceApi();
  const bench = new Bench(api);
  bench.enter('downloading');
  await api.hearsSoMany(1);
  bench.progress('downloading', 50);
  await api.hearsSoMany(2);
  bench.enter('verifying');
  bench.enter('downloading');
  await api.hearsSoMany(4);
  bench.progress('downloading', 5);
  await api.hearsSoMany(5);
  expect(api.words).toEqual([
    'downloading 0',
    'downloading 50',
    'verifying 0',
    'downloading 0',
    'downloading 5',
  ]);
});

test('right after a start the progress of a stage that was told long ago is told from where it is', async () => {
  const api = await deviceApi();
  const bench = new Bench(api);
  bench.reporter.offer([]);
  bench.progress('downloading', 47);
  await api.hearsSoMany(1);
  expect(api.words).toEqual(['downloading 47']);
});

test('progress that comes before the save of its stage waits for the report of the stage', async () => {
  const api = await deviceApi();
  const bench = new Bench(api);
  bench.enter('installing');
  await api.hearsSoMany(1);
  bench.progress('restarting', 10);
  // Time for it to be told wrongly.
  await wait(50);
  expect(api.words).toEqual(['installing 0']);
  bench.enter('rebooting');
  await api.hearsSoMany(3);
  expect(api.words).toEqual(['installing 0', 'rebooting 0', 'rebooting 10']);
});

test('while device-api is away progress collapses to the newest and stages are kept, then all are told in order [W-62]', async () => {
  const api = await deviceApi();
  await api.goAway();
  const bench = new Bench(api);
  bench.enter('downloading');
  bench.progress('downloading', 5, 10, 40);
  // Time for attempts in vain; what is told does not depend on how many there are.
  await wait(60);
  bench.enter('verifying');
  bench.progress('verifying', 5, 60, 65);
  await wait(60);
  await api.comeBack();
  await api.hearsSoMany(3);
  await until('both stages are delivered', () => bench.delivered.length === 2);
  expect(api.words).toEqual(['downloading 0', 'verifying 0', 'verifying 65']);
  expect(bench.delivered).toEqual([1, 2]);
});

test('a progress report that failed is told again only if there is no newer one and its stage goes on', async () => {
  const api = await deviceApi();
  const bench = new Bench(api);
  bench.enter('downloading');
  await api.hearsSoMany(1);
  api.answer = refuse(500);
  bench.progress('downloading', 5);
  await api.hearsSoMany(2);
  api.answer = (response) => response.end();
  await api.hearsSoMany(3);
  api.answer = refuse(500);
  bench.progress('downloading', 10);
  await api.hearsSoMany(4);
  bench.enter('verifying');
  api.answer = (response) => response.end();
  await until('the new stage is delivered', () => bench.delivered.length === 2);
  const [, , again, ...rest] = api.words;
  expect(again).toBe('downloading 5');
  expect(new Set(rest)).toEqual(new Set(['downloading 10', 'verifying 0']));
  expect(rest.at(-1)).toBe('verifying 0');
});

test.each([300, 400, 404, 500, 503])(
  'an answer of %i is no delivery, and is tried again [W-61, W-70]',
  async (status) => {
    const api = await deviceApi();
    api.answer = refuse(status);
    const bench = new Bench(api);
    bench.enter('downloading');
    await api.hearsSoMany(3);
    expect(bench.delivered).toEqual([]);
    api.answer = (response) => response.writeHead(204).end();
    await until('it is delivered', () => bench.delivered.length === 1);
    expect(bench.delivered).toEqual([1]);
    expect(new Set(api.words)).toEqual(new Set(['downloading 0']));
  },
);

test('the pauses between attempts double up to the longest, and a streak of failures is one line [W-64]', async () => {
  const api = await deviceApi();
  api.answer = refuse(500);
  const bench = new Bench(api, { retryMs: 50, longestRetryMs: 200 });
  bench.enter('downloading');
  await api.hearsSoMany(6);
  const times = api.heard.map(({ atMs }) => atMs);
  const pauses = times.slice(1).map((at, i) => at - (times[i] ?? 0));
  for (const [i, least] of [50, 100, 200, 200, 200].entries()) {
    expect(pauses[i]).toBeGreaterThanOrEqual(least - 2);
  }
  expect(bench.lines).toEqual(['device-api does not take reports; trying on']);
});

test('a new streak of failures is a new line', async () => {
  const api = await deviceApi();
  const bench = new Bench(api);
  for (const stage of ['downloading', 'verifying'] as const) {
    api.answer = refuse(500);
    const before = api.heard.length;
    bench.enter(stage);
    await api.hearsSoMany(before + 2);
    api.answer = (response) => response.end();
    await until('it is delivered', () => bench.delivered.length === bench.lines.length);
  }
  expect(bench.delivered).toEqual([1, 2]);
  expect(bench.lines).toHaveLength(2);
});

test('a new stage is tried at once, however long the pause', async () => {
  const api = await deviceApi();
  api.answer = refuse(500);
  const bench = new Bench(api, { retryMs: 60_000, longestRetryMs: 60_000 });
  bench.enter('installing');
  await until('the refusal is noticed', () => bench.lines.length === 1);
  api.answer = (response) => response.end();
  bench.progress('deploying', 50);
  // Time for it to be tried wrongly.
  await wait(50);
  expect(api.heard).toHaveLength(1);
  bench.enter('rebooting');
  await api.hearsSoMany(3);
  expect(api.words).toEqual(['installing 0', 'installing 0', 'rebooting 0']);
});

test('a device-api that hangs holds nothing up; each attempt ends by itself [W-61]', async () => {
  const api = await deviceApi();
  api.answer = () => undefined;
  const bench = new Bench(api, { attemptMs: 100 });
  const begun = performance.now();
  bench.enter('downloading');
  bench.progress('downloading', ...Array.from({ length: 100 }, (_, i) => i));
  bench.enter('verifying');
  expect(performance.now() - begun).toBeLessThan(95);
  await api.hearsSoMany(2);
  expect((api.heard[1]?.atMs ?? 0) - (api.heard[0]?.atMs ?? 0)).toBeGreaterThanOrEqual(95);
  api.answer = (response) => response.end();
  await api.hearsSoMany(4);
  expect(api.words.slice(-2)).toEqual(['downloading 0', 'verifying 0']);
});

test('a reply that never ends is not waited for [W-70]', async () => {
  const api = await deviceApi();
  api.answer = (response) => {
    response.writeHead(200);
    response.write('blah');
  };
  const bench = new Bench(api, { attemptMs: 5000 });
  const begun = performance.now();
  bench.enter('downloading');
  bench.enter('verifying');
  await api.hearsSoMany(2);
  expect(performance.now() - begun).toBeLessThan(1000);
  await until('both are delivered', () => bench.delivered.length === 2);
  expect(bench.delivered).toEqual([1, 2]);
});

test('a report that the machine has given up is not told any more', async () => {
  const api = await deviceApi();
  await api.goAway();
  const bench = new Bench(api);
  bench.enter('downloading');
  bench.enter('verifying');
  await wait(30);
  bench.forgetOldest();
  await wait(30);
  await api.comeBack();
  await api.hearsSoMany(1);
  // Time for the one that was given up to be told wrongly.
  await wait(60);
  expect(api.words).toEqual(['verifying 0']);
});

test('after a stop nothing is sent, and what is going on ends', async () => {
  const api = await deviceApi();
  let closed = 0;
  api.answer = (response) => response.on('close', () => closed++);
  const bench = new Bench(api, { attemptMs: 5000 });
  bench.enter('downloading');
  await api.hearsSoMany(1);
  bench.reporter.stop();
  bench.enter('verifying');
  bench.progress('verifying', 50);
  await until('the attempt is broken off', () => closed === 1);
  expect(api.heard).toHaveLength(1);
  expect(bench.delivered).toEqual([]);
  expect(bench.lines).toEqual([]);
});

test('a stop between two attempts ends the waiting', async () => {
  const api = await deviceApi();
  await api.goAway();
  const bench = new Bench(api);
  bench.enter('downloading');
  await wait(10);
  bench.reporter.stop();
  await api.comeBack();
  // Longer than the longest pause between two attempts.
  await wait(150);
  expect(api.heard).toEqual([]);
});

test('a device-api behind https is spoken to in TLS', async () => {
  const server = await FaultServer.startTls(answer(200));
  const lines: string[] = [];
  const ignore = () => undefined;
  const log = {
    debug: ignore,
    info: ignore,
    error: ignore,
    warn: (_: string, fields?: object) => void lines.push(JSON.stringify(fields)),
  };
  const reporter = new Reporter({ deviceApiUrl: server.url('/'), log, onDelivered: ignore });
  made.push(reporter);
  reporter.offer([{ id: 1, stage: 'downloading', progress: 0, message: '', error: null }]);
  await until('the failure is told', () => lines.length > 0);
  expect(lines).toEqual(['{"fault":"UNABLE_TO_VERIFY_LEAF_SIGNATURE"}']);
});
