import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { Reporter } from '../../services/reporting/reporter.js';
import { atEndOf } from '../support/life.js';
import { until } from '../support/until.js';
import { answer, FaultServer } from '../support/fault-server.js';
import { deviceApi, ReporterBench } from '../support/reporter-bench.js';

const refuse = (status: number) => (response: { writeHead: (status: number) => { end: () => unknown } }) => {
  response.writeHead(status).end();
};

test.each([300, 400, 404, 500, 503])(
  'an answer of %i is no delivery, and is tried again [W-61, W-70]',
  async (status) => {
    const api = await deviceApi();
    api.answer = refuse(status);
    const bench = new ReporterBench(api);
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
  const bench = new ReporterBench(api, { retryMs: 50, longestRetryMs: 200 });
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
  const bench = new ReporterBench(api);
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
  const bench = new ReporterBench(api, { retryMs: 60_000, longestRetryMs: 60_000 });
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
  const bench = new ReporterBench(api, { attemptMs: 100 });
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
  const bench = new ReporterBench(api, { attemptMs: 5000 });
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
  const bench = new ReporterBench(api);
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
  const bench = new ReporterBench(api, { attemptMs: 5000 });
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
  const bench = new ReporterBench(api);
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
  atEndOf('test', () => {
    reporter.stop();
    return Promise.resolve();
  });
  reporter.offer([{ id: 1, stage: 'downloading', progress: 0, message: '', error: null }]);
  await until('the failure is told', () => lines.length > 0);
  expect(lines).toEqual(['{"fault":"UNABLE_TO_VERIFY_LEAF_SIGNATURE"}']);
});
