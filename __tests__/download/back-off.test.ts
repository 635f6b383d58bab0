import { expect, test } from '@jest/globals';
import type { Instant } from '../../machines/clock.js';
import { awaitNetwork, backOff } from '../../services/download/back-off.js';

const never = new AbortController().signal;
const at = (uptimeMs: number, bootId = 'boot-1'): Instant => ({
  bootId,
  uptimeMs,
  wallMs: Date.UTC(2026, 11, 24) + uptimeMs,
  wallIsPlausible: true,
});
const patience = (now: Instant) => ({ clock: () => now, retryEveryMs: 20 });

test('the wait is as long as asked for, and at most a tenth longer', async () => {
  const waits = await Promise.all(
    Array.from({ length: 20 }, async () => {
      const begun = performance.now();
      expect(await backOff({ delayMs: 300 }, new AbortController().signal)).toBeNull();
      return performance.now() - begun;
    }),
  );
  expect(Math.min(...waits)).toBeGreaterThanOrEqual(298);
  expect(Math.max(...waits)).toBeLessThan(300 * 1.1 + 500);
  expect(new Set(waits.map(Math.round)).size).toBeGreaterThan(1);
});

test('a wait ends at once when it is stopped', async () => {
  const stop = new AbortController();
  const waiting = backOff({ delayMs: 60_000 }, stop.signal);
  stop.abort();
  await expect(waiting).rejects.toMatchObject({ code: 'CANCELLED' });
});

test('a network that was lost just now is lost since now', async () => {
  expect(await awaitNetwork({ since: null }, never, patience(at(5000)))).toEqual({ since: at(5000) });
});

test('a network that is still lost is lost since then', async () => {
  expect(await awaitNetwork({ since: at(5000) }, never, patience(at(604_999)))).toEqual({ since: at(5000) });
});

test('after ten minutes without a network it is given up [M-8]', async () => {
  const waiting = awaitNetwork({ since: at(5000) }, never, patience(at(605_000)));
  await expect(waiting).rejects.toMatchObject({
    line: 'DOWNLOAD_FAILED: no network for 600 s',
    facts: {},
  });
});

test('a night that the device was switched off does not count', async () => {
  const morning = at(40_000_000, 'boot-2');
  expect(await awaitNetwork({ since: at(5000) }, never, patience(morning))).toEqual({ since: morning });
});

test('waiting for a network ends at once when it is stopped', async () => {
  const waiting = awaitNetwork({ since: null }, AbortSignal.abort(), patience(at(0)));
  await expect(waiting).rejects.toMatchObject({ code: 'CANCELLED' });
});
