import { expect, test } from '@jest/globals';
import { DownloadBench } from '../support/download-bench.js';
import { FaultServer, file, raw } from '../support/fault-server.js';

const MORE = Buffer.from('!');

test('a server that does not say how long the package is brings it all the same', async () => {
  const bench = await DownloadBench.make();
  const server = await FaultServer.start(file(bench.content, { chunked: true }));
  expect(await bench.request(server.url())).toEqual({ resumed: false });
  await bench.expectPackage();
});

test('whole is whole where the connection breaks behind the last byte', async () => {
  const bench = await DownloadBench.make();
  const server = await FaultServer.start(async ({ response, send, cut }) => {
    response.writeHead(200, {});
    await send(bench.content);
    cut();
  });
  expect(await bench.request(server.url())).toEqual({ resumed: false });
  await bench.expectPackage();
});

test('a file of another size is refused before the first byte, with both sizes', async () => {
  const bench = await DownloadBench.make();
  const server = await FaultServer.start(file(Buffer.concat([bench.content, MORE])));
  const error = await bench.failure(server.url());
  expect(error.line).toBe(`PACKAGE_SIZE_MISMATCH: ${server.url()} has 1000001 bytes, ordered were 1000000`);
  expect(error.facts).toMatchObject({ retry: 'final', discard: true, bytesArrived: 0 });
  expect(bench.progress).toEqual([0]);
  await bench.expectNothingOnDisk();
});

test('one byte too many stops it, and nothing of it stays', async () => {
  const bench = await DownloadBench.make();
  const server = await FaultServer.start(file(Buffer.concat([bench.content, MORE]), { chunked: true }));
  const error = await bench.failure(server.url());
  expect(error.line).toBe(
    `PACKAGE_SIZE_MISMATCH: ${server.url()} sends more than the 1000000 bytes that were ordered`,
  );
  expect(error.facts).toMatchObject({ retry: 'final', discard: true });
  await bench.expectNothingOnDisk();
});

test.each([10, 1000, 1_000_000])('of %i bytes declared, what comes behind them is not used', async (size) => {
  const bench = await DownloadBench.make(size);
  const server = await FaultServer.start(({ request }) => {
    request.socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${bench.content.length}\r\n\r\n`);
    request.socket.write(bench.content);
    request.socket.end('and more and more');
  });
  expect(await bench.request(server.url())).toEqual({ resumed: false });
  await bench.expectPackage();
});

test('a server that ends before the length that it declared is asked for the rest', async () => {
  const bench = await DownloadBench.make();
  const server = await FaultServer.start(file(bench.content, { cutAfter: 999_999 }), file(bench.content));
  const error = await bench.failure(server.url());
  expect(error).toMatchObject({
    code: 'INCOMPLETE_DOWNLOAD',
    facts: { retry: 'retry', bytesArrived: 999_999 },
  });
  expect(await bench.request(server.url())).toEqual({ resumed: true });
  await bench.expectPackage();
});

test('a file that is shorter than ordered, its length untold, ends with both sizes', async () => {
  const bench = await DownloadBench.make();
  const server = await FaultServer.start(file(bench.content.subarray(0, 600_000), { chunked: true }));
  const [first, second] = await bench.untilEnd(server.url());
  expect(first).toMatchObject({
    line: `INCOMPLETE_DOWNLOAD: ${server.url()} ended at 600000 of 1000000 bytes`,
    facts: { retry: 'retry', bytesArrived: 600_000 },
  });
  expect(second).toMatchObject({
    line: `PACKAGE_SIZE_MISMATCH: ${server.url()} has 600000 bytes, ordered were 1000000`,
    facts: { retry: 'final', discard: true },
  });
  await bench.expectNothingOnDisk();
});

test('a body that is encoded although it was asked not to be is refused', async () => {
  const bench = await DownloadBench.make();
  const headers = { 'content-encoding': 'gzip', 'content-length': '1000000' };
  const server = await FaultServer.start(raw(200, headers, bench.content));
  const error = await bench.failure(server.url());
  expect(error.line).toBe(
    `DOWNLOAD_FAILED: ${server.url()} sends the package encoded (gzip), although it was asked not to`,
  );
  expect(error.facts.retry).toBe('final');
  await bench.expectNothingOnDisk();
});
