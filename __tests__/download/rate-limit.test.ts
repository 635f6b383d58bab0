import { monitorEventLoopDelay } from 'node:perf_hooks';
import { expect, test } from '@jest/globals';
import { limitRate } from '../../services/download/rate-limit.js';
import { DownloadBench } from '../support/download-bench.js';
import { FaultServer, file } from '../support/fault-server.js';

const KB = 1000;

/** Fetches a package with a limit, and tells how that went. */
async function fetchAt(bytesPerSecond: number, size: number) {
  const bench = await DownloadBench.make(size);
  const server = await FaultServer.start(file(bench.content));
  const pace = limitRate(bytesPerSecond);
  const arrivals: { atMs: number; bytes: number }[] = [];
  const loop = monitorEventLoopDelay({ resolution: 5 });
  const cpuBefore = process.cpuUsage();
  const begun = performance.now();
  loop.enable();
  const outcome = await bench.request(server.url(), {
    pace: (bytes, signal) => {
      arrivals.push({ atMs: performance.now() - begun, bytes });
      return pace(bytes, signal);
    },
  });
  loop.disable();
  const tookMs = performance.now() - begun;
  const { user, system } = process.cpuUsage(cpuBefore);
  expect(outcome).toEqual({ resumed: false });
  await bench.expectPackage();
  return { tookMs, arrivals, cpuMs: (user + system) / 1000 };
}

test('a limit is kept from the first second on, in even pieces and without burning the processor', async () => {
  const { tookMs, arrivals, cpuMs } = await fetchAt(1000 * KB, 2000 * KB);
  expect(tookMs).toBeGreaterThan(1800);
  // A machine that is busy with other tests is late with its timers, and is not made up for.
  expect(tookMs).toBeLessThan(10_000);
  const inHalfSecondFrom = (from: number) =>
    arrivals
      .filter(({ atMs }) => atMs >= from && atMs < from + 500)
      .reduce((sum, { bytes }) => sum + bytes, 0);
  // What may be caught up with, and the piece that is on its way, come on top.
  const most = 500 * KB + 100 * KB + 2 * 65_536;
  for (const { atMs } of arrivals) expect(inHalfSecondFrom(atMs)).toBeLessThanOrEqual(most);
  expect(cpuMs).toBeLessThan(tookMs / 2);
});

test('a server that stalled is not caught up with in one rush', async () => {
  const pace = limitRate(100 * KB);
  const never = new AbortController().signal;
  await pace(10 * KB, never);
  await new Promise((resolve) => setTimeout(resolve, 400));
  const begun = performance.now();
  for (let piece = 0; piece < 4; piece++) await pace(10 * KB, never);
  expect(performance.now() - begun).toBeGreaterThan(250);
});

test('waiting for the limit is no stall, and ends at once when the download is stopped', async () => {
  const bench = await DownloadBench.make(1_000_000);
  const server = await FaultServer.start(file(bench.content));
  const pace = limitRate(50 * KB);
  const stop = new AbortController();
  const ending = bench.failure(server.url(), { pace, stallMs: 100 }, stop.signal);
  await bench.partReaches(65_536);
  await new Promise((resolve) => setTimeout(resolve, 300));
  const begun = performance.now();
  stop.abort();
  const { code } = await ending;
  expect(code).toBe('CANCELLED');
  expect(performance.now() - begun).toBeLessThan(2000);
  // The server was slowed down by TCP: what it could send lies in the kernel, not here.
  expect(await bench.partBytes()).toBeLessThan(200 * KB);
});

test('no limit is no wait', async () => {
  const pace = limitRate(0);
  const begun = performance.now();
  for (let piece = 0; piece < 1000; piece++) await pace(1_000_000, new AbortController().signal);
  expect(performance.now() - begun).toBeLessThan(200);
});
