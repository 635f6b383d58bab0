import { createServer } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { UpdateError } from '../../machines/errors.js';
import { DownloadBench, SECRET } from '../support/download-bench.js';
import { cutHeaders, FaultServer, file, silence } from '../support/fault-server.js';
import { listenOn } from '../support/local-server.js';

test('a dropped connection keeps what arrived, and the next request asks for the rest of the same file [M-41]', async () => {
  const bench = await DownloadBench.make();
  const server = await FaultServer.start(file(bench.content, { cutAfter: 300_000 }), file(bench.content));
  const error = await bench.failure(server.url());
  expect(error).toMatchObject({
    code: 'INCOMPLETE_DOWNLOAD',
    facts: { retry: 'retry', bytesArrived: 300_000, discard: false },
  });
  expect(error.message).toContain('ended at 300000 of 1000000 bytes');
  expect(await bench.request(server.url())).toEqual({ resumed: true });
  expect(bench.arrived).toBe(700_000);
  expect(server.seen[1]?.headers).toMatchObject({ range: 'bytes=300000-', 'if-range': '"one"' });
  await bench.expectPackage();
});

test('without an ETag the rest is bound to Last-Modified', async () => {
  const bench = await DownloadBench.make();
  const lastModified = 'Tue, 17 Nov 2026 10:00:00 GMT';
  const named = { etag: null, lastModified };
  const server = await FaultServer.start(
    file(bench.content, { ...named, cutAfter: 300_000 }),
    file(bench.content, named),
  );
  await bench.untilEnd(server.url());
  expect(server.seen[1]?.headers).toMatchObject({ range: 'bytes=300000-', 'if-range': lastModified });
  await bench.expectPackage();
});

test('a weak ETag proves nothing and is not used', async () => {
  const bench = await DownloadBench.make();
  const server = await FaultServer.start(
    file(bench.content, { etag: 'W/"one"', cutAfter: 300_000 }),
    file(bench.content),
  );
  await bench.untilEnd(server.url());
  expect(server.seen[1]?.headers).not.toHaveProperty('if-range');
  await bench.expectPackage();
});

test('a server that drops after every 700 kB is asked until the package is whole, and sends no byte twice', async () => {
  const bench = await DownloadBench.make(10_000_000);
  const server = await FaultServer.start(file(bench.content, { cutAfter: 700_000 }));
  const outcomes = await bench.untilEnd(server.url());
  expect(outcomes).toHaveLength(15);
  expect(outcomes.at(-1)).toEqual({ resumed: true });
  expect(bench.progress).toEqual(bench.progress.toSorted((a, b) => a - b));
  expect(server.sentBytes).toBe(10_000_000);
  await bench.expectPackage();
});

test('a connection that is cut while room is made is told, and what follows is resumed', async () => {
  const bench = await DownloadBench.make();
  const server = await FaultServer.start(file(bench.content, { cutAfter: 10 }), file(bench.content));
  const error = await bench.failure(server.url(), { makeRoom: () => wait(100) });
  expect(error).toMatchObject({ code: 'INCOMPLETE_DOWNLOAD', facts: { retry: 'retry' } });
  await bench.request(server.url());
  await bench.expectPackage();
});

test('a connection that brings nothing for too long is dropped; what it brought stays', async () => {
  const bench = await DownloadBench.make();
  const server = await FaultServer.start(file(bench.content, { stallAfter: 300_000 }), file(bench.content));
  const error = await bench.failure(server.url(), { stallMs: 200 });
  expect(error).toMatchObject({ code: 'DOWNLOAD_FAILED', facts: { retry: 'retry', bytesArrived: 300_000 } });
  expect(error.message).toContain('brought nothing for 0.2 s, at 300000 of 1000000 bytes');
  expect(await bench.request(server.url())).toEqual({ resumed: true });
});

test('a server that never answers is dropped too', async () => {
  const bench = await DownloadBench.make();
  const server = await FaultServer.start(silence);
  const error = await bench.failure(server.url(), { stallMs: 200 });
  expect(error).toMatchObject({ code: 'DOWNLOAD_FAILED', facts: { retry: 'retry', bytesArrived: 0 } });
  await bench.expectNothingOnDisk();
});

test('a slow trickle is no stall', async () => {
  const bench = await DownloadBench.make(20);
  const server = await FaultServer.start(file(bench.content, { pieceBytes: 1, pauseMs: 40 }));
  expect(await bench.request(server.url(), { stallMs: 300 })).toEqual({ resumed: false });
  await bench.expectPackage();
});

test('time spent on the disk is no stall', async () => {
  const bench = await DownloadBench.make();
  const server = await FaultServer.start(file(bench.content));
  const makeRoom = () => wait(300);
  expect(await bench.request(server.url(), { stallMs: 100, makeRoom })).toEqual({ resumed: false });
});

test('a server that closes in the middle of the headers is asked again', async () => {
  const bench = await DownloadBench.make();
  const server = await FaultServer.start(cutHeaders, file(bench.content));
  const error = await bench.failure(server.url());
  expect(error).toMatchObject({ code: 'DOWNLOAD_FAILED', facts: { retry: 'retry', bytesArrived: 0 } });
  expect(await bench.request(server.url())).toEqual({ resumed: false });
});

test('what is no HTTP is asked again, and told without its words', async () => {
  const bench = await DownloadBench.make();
  const server = createServer((socket) => socket.on('error', () => undefined).end('SSH-2.0-OpenSSH\r\n'));
  const error = await bench.failure(`http://127.0.0.1:${await listenOn(server)}/x`);
  server.close();
  expect(error).toMatchObject({ code: 'DOWNLOAD_FAILED', facts: { retry: 'retry' } });
});

test('a port where nobody listens is asked again', async () => {
  const bench = await DownloadBench.make();
  const server = await FaultServer.start(silence);
  const url = server.url();
  await server.close();
  const error = await bench.failure(url);
  expect(error.line).toBe(`DOWNLOAD_FAILED: ${url}: connection refused (ECONNREFUSED)`);
  expect(error.facts.retry).toBe('retry');
});

test('an address that no connection leads to is no network', async () => {
  const bench = await DownloadBench.make();
  // tcp(7) connects to no multicast group: the kernel answers ENETUNREACH by itself.
  const error = await bench.failure('http://224.0.0.1/package.zip');
  expect(error.line).toBe('DOWNLOAD_FAILED: http://224.0.0.1/package.zip: network unreachable (ENETUNREACH)');
  expect(error.facts).toMatchObject({ retry: 'network', bytesArrived: 0 });
});

test('a host name that is not found is no network', async () => {
  const bench = await DownloadBench.make();
  const error = await bench.failure('http://no-such-host.invalid/package.zip');
  expect(error).toMatchObject({ code: 'DOWNLOAD_FAILED', facts: { retry: 'network', bytesArrived: 0 } });
});

test('being stopped ends it promptly and keeps what arrived', async () => {
  const bench = await DownloadBench.make();
  const server = await FaultServer.start(file(bench.content, { stallAfter: 300_000 }), file(bench.content));
  const stop = new AbortController();
  const onProgress = (bytes: number) => {
    if (bytes === 300_000) setTimeout(() => stop.abort(), 20);
  };
  const error = await bench.failure(server.url(), { onProgress }, stop.signal);
  expect(error).toMatchObject({ code: 'CANCELLED', facts: { bytesArrived: 300_000 } });
  expect(await bench.partBytes()).toBe(300_000);
  expect(await bench.request(server.url())).toEqual({ resumed: true });
  await bench.expectPackage();
});

test('what is stopped before it began asks nobody', async () => {
  const bench = await DownloadBench.make();
  const server = await FaultServer.start(file(bench.content));
  const error = await bench.failure(server.url(), {}, AbortSignal.abort());
  expect(error.code).toBe('CANCELLED');
  expect(server.seen).toEqual([]);
});

test('a fresh URL goes on with the same partial [W-29]', async () => {
  const bench = await DownloadBench.make();
  const server = await FaultServer.start(file(bench.content, { cutAfter: 600_000 }), file(bench.content));
  const first = await bench.request(server.url(`/package.zip?Expires=1&${SECRET}-1`));
  expect(first).toBeInstanceOf(UpdateError);
  expect(await bench.request(server.url(`/package.zip?Expires=2&${SECRET}-2`))).toEqual({ resumed: true });
  expect(server.seen[1]).toMatchObject({
    path: `/package.zip?Expires=2&${SECRET}-2`,
    headers: { range: 'bytes=600000-' },
  });
  await bench.expectPackage();
});
