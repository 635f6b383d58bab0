import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { watchSteps } from '../../services/steps.js';
import { DownloadBench, SECRET } from '../support/download-bench.js';
import { FaultServer, file } from '../support/fault-server.js';

test('a package is fetched with one request and stands in the work folder under its digest [W-26]', async () => {
  const bench = await DownloadBench.make(3_000_000);
  const server = await FaultServer.start(file(bench.content));
  expect(await bench.request(server.url())).toEqual({ resumed: false });
  await bench.expectPackage();
  expect(bench.arrived).toBe(3_000_000);
  expect(server.seen).toHaveLength(1);
  expect(server.seen[0]?.headers).toMatchObject({ 'accept-encoding': 'identity' });
  expect(server.seen[0]?.headers).not.toHaveProperty('range');
  expect(server.seen[0]?.headers).not.toHaveProperty('authorization');
});

test('the query reaches the server as it was ordered, byte for byte', async () => {
  const bench = await DownloadBench.make(10);
  const server = await FaultServer.start(file(bench.content));
  const path = `/a%2Fb/p%C3%A4ck.zip?X-Sig=%2b+~a%20b&&x=[1]&${SECRET}%3D%3D`;
  await bench.request(server.url(path));
  expect(server.seen[0]?.path).toBe(path);
});

test('progress tells the bytes on disk, never backwards, up to the whole', async () => {
  const bench = await DownloadBench.make();
  const server = await FaultServer.start(file(bench.content));
  await bench.request(server.url());
  expect(bench.progress[0]).toBe(0);
  expect(bench.progress.at(-1)).toBe(1_000_000);
  expect(bench.progress).toEqual(bench.progress.toSorted((a, b) => a - b));
});

test('a package that is on disk already is not asked for again', async () => {
  const bench = await DownloadBench.make();
  await writeFile(bench.zipPath, bench.content);
  const server = await FaultServer.start(file(bench.content));
  expect(await bench.request(server.url())).toEqual({ resumed: true });
  expect(server.seen).toEqual([]);
  expect(bench.arrived).toBeNull();
  expect(bench.progress).toEqual([1_000_000]);
  await bench.expectPackage();
});

test('a package on disk that is too short is no package', async () => {
  const bench = await DownloadBench.make();
  await writeFile(bench.zipPath, bench.content.subarray(1));
  const server = await FaultServer.start(file(bench.content));
  expect(await bench.request(server.url())).toEqual({ resumed: false });
  await bench.expectPackage();
});

test('what is left of another package goes first [W-32]', async () => {
  const bench = await DownloadBench.make();
  const other = 'f'.repeat(32);
  for (const name of [`${other}-9.zip`, `${other}-8.zip.part`, `${other}-8.zip.part.json`]) {
    await writeFile(join(bench.tmpDir, name), 'x');
  }
  const server = await FaultServer.start(file(bench.content));
  await bench.request(server.url());
  await bench.expectPackage();
});

test('an order for another package than the one to be fetched is refused', async () => {
  const bench = await DownloadBench.make();
  const error = await bench.failure('http://127.0.0.1:1/', { order: () => null });
  expect(error.line).toBe('DOWNLOAD_FAILED: 1.2.3 is not what is ordered');
});

test.each(['ftp://127.0.0.1/x', 'no url'])('%s is no URL to fetch from', async (url) => {
  const bench = await DownloadBench.make();
  const error = await bench.failure(url);
  expect(error.line).toBe('DOWNLOAD_FAILED: package_url is not an http or https URL');
  expect(error.facts.retry).toBe('final');
});

test('room is made for what is still to fetch, before the first byte is written', async () => {
  const bench = await DownloadBench.make();
  const server = await FaultServer.start(file(bench.content, { cutAfter: 400_000 }), file(bench.content));
  const asked: [needed: number, there: number][] = [];
  const makeRoom = async (needed: number) => {
    asked.push([needed, await bench.partBytes()]);
  };
  await bench.request(server.url(), { makeRoom });
  await bench.request(server.url(), { makeRoom });
  expect(asked).toEqual([
    [1_000_000, 0],
    [600_000, 400_000],
  ]);
  await bench.expectPackage();
});

test('it is fsynced every 8 MiB and at the end, and what is surely on disk is noted [T-13]', async () => {
  const bench = await DownloadBench.make(20_000_000);
  const server = await FaultServer.start(file(bench.content));
  const steps: string[] = [];
  const noted: number[] = [];
  watchSteps((name, moment) => {
    if (moment === 'after') steps.push(name);
  });
  try {
    await bench.request(server.url(), {
      onProgress: (bytes) => {
        if (bytes === 20_000_000)
          void readFile(bench.notesPath, 'utf8').then((text) => noted.push(synced(text)));
      },
    });
  } finally {
    watchSteps(null);
  }
  const sync = ['partial.sync', 'partial.note'];
  const finish = ['partial.sync', 'partial.finish', 'partial.finish', 'partial.remove'];
  expect(steps).toEqual(['partial.open', 'partial.note', ...sync, ...sync, ...finish]);
  expect(noted).toEqual([16 * 1024 * 1024]);
  expect((await stat(bench.zipPath)).mode & 0o777).toBe(0o600);
});

function synced(notes: string): number {
  return Number(/"syncedBytes":(\d+)/.exec(notes)?.[1]);
}
