import { expect, test } from '@jest/globals';
import { DownloadBench } from '../support/download-bench.js';
import { FaultServer, file } from '../support/fault-server.js';

test('of twice the package what is left may still be fetched, and not a byte more', async () => {
  const bench = await DownloadBench.make(1_000_000);
  const server = await FaultServer.start(file(bench.content));
  const error = await bench.failure(server.url(), { fetchedBefore: () => 1_400_000 });
  expect(error.line).toBe(
    `DOWNLOAD_FAILED: ${server.url()} brought 2000000 bytes and not the package of 1000000: no more is fetched`,
  );
  expect(error.facts.retry).toBe('final');
  expect(error.facts.bytesArrived).toBeGreaterThan(600_000 - 65_536);
  expect(error.facts.bytesArrived).toBeLessThanOrEqual(600_000);
  expect(await bench.partBytes()).toBe(error.facts.bytesArrived);
});

test('a package that comes with the last byte that may be fetched is there', async () => {
  const bench = await DownloadBench.make(1_000_000);
  const server = await FaultServer.start(file(bench.content));
  expect(await bench.request(server.url(), { fetchedBefore: () => 1_000_000 })).toEqual({ resumed: false });
  await bench.expectPackage();
});

test('a fresh order goes on with the partial of one that had reached the ceiling', async () => {
  const bench = await DownloadBench.make(1_000_000);
  const server = await FaultServer.start(file(bench.content));
  await bench.failure(server.url(), { fetchedBefore: () => 1_400_000 });
  expect(await bench.request(server.url())).toEqual({ resumed: true });
  await bench.expectPackage();
});
