import { expect, test } from '@jest/globals';
import { DownloadBench } from '../support/download-bench.js';
import { answer, FaultServer, file } from '../support/fault-server.js';

test.each([404, 408, 425, 429, 500, 502, 503, 504, 204, 304])('%i may be asked again', async (status) => {
  const bench = await DownloadBench.make();
  const server = await FaultServer.start(answer(status));
  const error = await bench.failure(server.url());
  expect(error.line).toBe(`DOWNLOAD_FAILED: ${server.url()} answered ${status}`);
  expect(error.facts).toMatchObject({ retry: 'retry', bytesArrived: 0, discard: false });
});

test.each([400, 401, 403, 405, 410, 451])('%i is final', async (status) => {
  const bench = await DownloadBench.make();
  const server = await FaultServer.start(answer(status, { 'retry-after': '5' }));
  const error = await bench.failure(server.url());
  expect(error.line).toBe(`DOWNLOAD_FAILED: ${server.url()} answered ${status}`);
  expect(error.facts).toMatchObject({ retry: 'final', bytesArrived: 0, discard: false });
});

test('a URL that ran out keeps the partial, and a fresh one goes on with it [D-104]', async () => {
  const bench = await DownloadBench.make();
  const server = await FaultServer.start(
    file(bench.content, { cutAfter: 500_000 }),
    answer(403),
    file(bench.content),
  );
  await bench.failure(server.url());
  expect((await bench.failure(server.url())).facts.retry).toBe('final');
  expect(await bench.request(server.url('/fresh.zip'))).toEqual({ resumed: true });
  await bench.expectPackage();
});

test('503 twice and then well brings the package', async () => {
  const bench = await DownloadBench.make();
  const server = await FaultServer.start(answer(503), answer(503), file(bench.content));
  expect(await bench.untilEnd(server.url())).toHaveLength(3);
  await bench.expectPackage();
});

const PLAUSIBLE = 'Thu, 24 Dec 2026 00:00:';

test.each([
  ['seconds', { 'retry-after': '7' }, 7000],
  ['more seconds than a minute', { 'retry-after': '3600' }, 60_000],
  [
    'a date by its own clock',
    { 'retry-after': 'Wed, 01 Jan 2020 00:00:09 GMT', date: 'Wed, 01 Jan 2020 00:00:00 GMT' },
    9000,
  ],
  ['a date that is over', { 'retry-after': `${PLAUSIBLE}00 GMT`, date: `${PLAUSIBLE}05 GMT` }, 0],
  ['nothing that is known', { 'retry-after': 'soon' }, undefined],
])('Retry-After in %s is told', async (_, headers: Record<string, string>, expected) => {
  const bench = await DownloadBench.make();
  const server = await FaultServer.start(answer(503, headers));
  const error = await bench.failure(server.url());
  expect(error.facts.retryAfterMs).toBe(expected);
});

const dateless = (at: string) =>
  FaultServer.start(({ response }) => {
    response.sendDate = false;
    response.writeHead(503, { 'retry-after': at }).end();
  });

test('a date of a server that does not tell its clock is by ours', async () => {
  const bench = await DownloadBench.make();
  const server = await dateless(`${PLAUSIBLE}04 GMT`);
  expect((await bench.failure(server.url())).facts.retryAfterMs).toBe(4000);
});

test('a date says nothing to a device in 1970', async () => {
  const bench = await DownloadBench.make();
  bench.now = { ...bench.now, wallMs: 60_000, wallIsPlausible: false };
  const server = await dateless(`${PLAUSIBLE}04 GMT`);
  expect((await bench.failure(server.url())).facts.retryAfterMs).toBeUndefined();
});
