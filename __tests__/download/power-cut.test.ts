import { readFile, rm } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import { trustedBytes } from '../../services/download/partial.js';
import { DownloadBench } from '../support/download-bench.js';
import { FaultServer, file } from '../support/fault-server.js';
import { pathsSyncedBy } from '../support/synced-paths.js';

const MIB = 1024 * 1024;

test('in the boot that wrote them all bytes count [M-40]', async () => {
  const bench = await DownloadBench.make(20 * MIB);
  const server = await FaultServer.start(file(bench.content, { cutAfter: 15 * MIB }), file(bench.content));
  await bench.failure(server.url());
  expect(await bench.request(server.url())).toEqual({ resumed: true });
  expect(server.seen[1]?.headers.range).toBe(`bytes=${15 * MIB}-`);
  await bench.expectPackage();
});

test('in another boot only what was fsynced counts [M-40]', async () => {
  const bench = await DownloadBench.make(20 * MIB);
  const server = await FaultServer.start(file(bench.content, { cutAfter: 15 * MIB }), file(bench.content));
  await bench.failure(server.url());
  bench.now = { ...bench.now, bootId: 'boot-2' };
  expect(await bench.request(server.url())).toEqual({ resumed: true });
  expect(server.seen[1]?.headers.range).toBe(`bytes=${8 * MIB}-`);
  await bench.expectPackage();
});

test('what a boot has taken up counts in it from then on', async () => {
  const bench = await DownloadBench.make(20 * MIB);
  const server = await FaultServer.start(
    file(bench.content, { cutAfter: 9 * MIB }),
    file(bench.content, { cutAfter: MIB }),
    file(bench.content),
  );
  await bench.failure(server.url());
  bench.now = { ...bench.now, bootId: 'boot-2' };
  await bench.failure(server.url());
  expect(JSON.parse(await readFile(bench.notesPath, 'utf8'))).toMatchObject({
    bootId: 'boot-2',
    syncedBytes: 8 * MIB,
  });
  await bench.request(server.url());
  expect(server.seen[2]?.headers.range).toBe(`bytes=${9 * MIB}-`);
  await bench.expectPackage();
});

test('what a process has left in this boot is synced before it is noted and built upon [M-40]', async () => {
  const bench = await DownloadBench.make(2 * MIB);
  const server = await FaultServer.start(file(bench.content, { cutAfter: MIB }), file(bench.content));
  await bench.failure(server.url());
  const [first] = await pathsSyncedBy(() => bench.request(server.url()));
  expect(first).toBe(`${bench.zipPath}.part`);
  await bench.expectPackage();
});

test('what can be built upon is told without touching it', async () => {
  const bench = await DownloadBench.make(20 * MIB);
  const { tmpDir, identity } = bench;
  expect(await trustedBytes(tmpDir, identity, 'boot-1')).toBe(0);
  const server = await FaultServer.start(file(bench.content, { cutAfter: 15 * MIB }));
  await bench.failure(server.url());
  expect(await trustedBytes(tmpDir, identity, 'boot-1')).toBe(15 * MIB);
  expect(await trustedBytes(tmpDir, identity, 'boot-2')).toBe(8 * MIB);
  expect(await trustedBytes(tmpDir, { ...identity, version: '9.9.9' }, 'boot-1')).toBe(0);
  await rm(bench.notesPath);
  expect(await trustedBytes(tmpDir, identity, 'boot-1')).toBe(0);
});
