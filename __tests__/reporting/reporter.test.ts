import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { until } from '../support/until.js';
import { deviceApi, ReporterBench } from '../support/reporter-bench.js';

const refuse = (status: number) => (response: { writeHead: (status: number) => { end: () => unknown } }) => {
  response.writeHead(status).end();
};

test('a report has exactly the four fields, and is posted as JSON [W-57]', async () => {
  const api = await deviceApi();
  new ReporterBench(api).enter('failed', 42, 'MD5_MISMATCH: other bytes');
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
  const bench = new ReporterBench(api);
  const stages = ['downloading', 'verifying', 'toInstall', 'installing', 'rebooting', 'success'] as const;
  for (const stage of stages) bench.enter(stage);
  await until('every stage is delivered', () => bench.delivered.length === 6);
  expect(api.words).toEqual(stages.map((stage) => `${stage} 0`));
  expect(bench.delivered).toEqual([1, 2, 3, 4, 5, 6]);
});

test('progress is told at every 5 %, with the true percent, behind its stage and before the next [W-60]', async () => {
  const api = await deviceApi();
  const bench = new ReporterBench(api);
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
  const bench = new ReporterBench(api);
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
  const bench = new ReporterBench(api);
  bench.reporter.offer([]);
  bench.progress('downloading', 47);
  await api.hearsSoMany(1);
  expect(api.words).toEqual(['downloading 47']);
});

test('progress that comes before the save of its stage waits for the report of the stage', async () => {
  const api = await deviceApi();
  const bench = new ReporterBench(api);
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
  const bench = new ReporterBench(api);
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
  const bench = new ReporterBench(api);
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
