import { readFile, rm, writeFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import { DownloadBench } from '../support/download-bench.js';
import { answer, FaultServer, file, raw, type Behaviour } from '../support/fault-server.js';

/** A bench whose first request brought 400,000 bytes of 1,000,000 before the connection broke. */
async function begun(...next: ((bench: DownloadBench) => Behaviour)[]) {
  const bench = await DownloadBench.make();
  const server = await FaultServer.start(file(bench.content, { cutAfter: 400_000 }));
  await bench.failure(server.url());
  server.behave(...next.map((behaviour) => behaviour(bench)));
  return { bench, server };
}

const part =
  (range: string, also: Record<string, string> = {}) =>
  (bench: DownloadBench) =>
    raw(206, { 'content-range': range, ...also }, bench.content.subarray(400_000));

test('a server that ignores Range starts over; nothing is put behind what was there', async () => {
  const { bench, server } = await begun((bench) => file(bench.content, { ignoresRange: true }));
  expect(await bench.request(server.url())).toEqual({ resumed: false });
  await bench.expectPackage();
});

test('a server that ignores Range and breaks again leaves the newer bytes', async () => {
  const { bench, server } = await begun(
    (bench) => file(bench.content, { ignoresRange: true, etag: '"two"', cutAfter: 100_000 }),
    (bench) => file(bench.content, { etag: '"two"' }),
  );
  await bench.failure(server.url());
  expect(await bench.partBytes()).toBe(100_000);
  expect(await bench.request(server.url())).toEqual({ resumed: true });
  expect(server.seen[2]?.headers).toMatchObject({ range: 'bytes=100000-', 'if-range': '"two"' });
  await bench.expectPackage();
});

test.each([
  ['starts elsewhere', 'bytes 0-999999/1000000'],
  ['starts one byte late', 'bytes 400001-999999/1000000'],
  ['does not tell the total', 'bytes 400000-999999/*'],
  ['is of no known form', 'pages 4-9/10'],
])('a 206 whose Content-Range %s is not used: the whole is asked for', async (_, range) => {
  const { bench, server } = await begun(part(range), (bench) => file(bench.content));
  const error = await bench.failure(server.url());
  expect(error.line).toBe(
    `DOWNLOAD_FAILED: ${server.url()} answered with ${range} when asked for bytes from 400000 of 1000000`,
  );
  expect(error.facts).toMatchObject({ retry: 'retry', bytesArrived: 0 });
  await bench.expectNothingOnDisk();
  expect(await bench.request(server.url())).toEqual({ resumed: false });
  expect(server.seen[2]?.headers).not.toHaveProperty('range');
  await bench.expectPackage();
});

test('a 206 without Content-Range is not used: the whole is asked for', async () => {
  const { bench, server } = await begun(
    (bench) => raw(206, {}, bench.content.subarray(400_000)),
    (bench) => file(bench.content),
  );
  const error = await bench.failure(server.url());
  expect(error.line).toBe(`DOWNLOAD_FAILED: ${server.url()} answered 206 without Content-Range`);
  expect(await bench.request(server.url())).toEqual({ resumed: false });
  await bench.expectPackage();
});

test('a 206 of a file of another size is refused', async () => {
  const { bench, server } = await begun(part('bytes 400000-999999/1000007'));
  const error = await bench.failure(server.url());
  expect(error.line).toBe(`PACKAGE_SIZE_MISMATCH: ${server.url()} has 1000007 bytes, ordered were 1000000`);
  await bench.expectNothingOnDisk();
});

test('a 206 that brings less than the rest is used as far as it goes', async () => {
  const { bench, server } = await begun(
    (bench) =>
      raw(
        206,
        { 'content-range': 'bytes 400000-499999/1000000', etag: '"one"' },
        bench.content.subarray(400_000, 500_000),
      ),
    (bench) => file(bench.content),
  );
  expect(await bench.failure(server.url())).toMatchObject({
    code: 'INCOMPLETE_DOWNLOAD',
    facts: { retry: 'retry', bytesArrived: 100_000 },
  });
  await bench.request(server.url());
  expect(server.seen[2]?.headers.range).toBe('bytes=500000-');
  await bench.expectPackage();
});

test('a partial that is whole becomes the package without a request, so that no 416 can come', async () => {
  const { bench, server } = await begun(() => answer(416, { 'content-range': 'bytes */1000000' }));
  await writeFile(bench.partPath, bench.content);
  expect(await bench.request(server.url())).toEqual({ resumed: true });
  expect(server.seen).toHaveLength(1);
  await bench.expectPackage();
});

test('a 416 from a server whose file is shorter than what is there is a wrong size', async () => {
  const { bench, server } = await begun(() => answer(416, { 'content-range': 'bytes */300000' }));
  const error = await bench.failure(server.url());
  expect(error.line).toBe(`PACKAGE_SIZE_MISMATCH: ${server.url()} has 300000 bytes, ordered were 1000000`);
  await bench.expectNothingOnDisk();
});

test.each([
  ['of the right size', { 'content-range': 'bytes */1000000' }],
  ['of unknown size', {}],
])('a 416 for a file %s makes the stale partial start over', async (_, headers: Record<string, string>) => {
  const { bench, server } = await begun(
    () => answer(416, headers),
    (bench) => file(bench.content),
  );
  expect((await bench.failure(server.url())).facts).toMatchObject({ retry: 'retry', bytesArrived: 0 });
  await bench.expectNothingOnDisk();
  expect(await bench.request(server.url())).toEqual({ resumed: false });
  await bench.expectPackage();
});

test('a file that was replaced on the server between two requests is fetched from its beginning [M-41]', async () => {
  const { bench, server } = await begun((bench) => file(bench.content, { etag: '"two"' }));
  expect(await bench.request(server.url())).toEqual({ resumed: false });
  expect(server.seen[1]?.headers['if-range']).toBe('"one"');
  await bench.expectPackage();
});

test('a server that ignores If-Range cannot splice two files: its ETag tells', async () => {
  const { bench, server } = await begun((bench) =>
    file(bench.content, { etag: '"two"', ignoresIfRange: true }),
  );
  const error = await bench.failure(server.url());
  expect(error.message).toContain('continues with another file than the one that was begun');
  await bench.expectNothingOnDisk();
  expect(await bench.request(server.url())).toEqual({ resumed: false });
  await bench.expectPackage();
});

test('an ETag that a proxy made weak still names the same file', async () => {
  const { bench, server } = await begun(part('bytes 400000-999999/1000000', { etag: 'W/"one"' }));
  expect(await bench.request(server.url())).toEqual({ resumed: true });
  await bench.expectPackage();
});

test('a server without validators is resumed by Range alone; the digest is the last check', async () => {
  const bench = await DownloadBench.make();
  const server = await FaultServer.start(
    file(bench.content, { etag: null, cutAfter: 400_000 }),
    file(bench.content, { etag: null }),
  );
  const outcomes = await bench.untilEnd(server.url());
  expect(outcomes.at(-1)).toEqual({ resumed: true });
  expect(server.seen[1]?.headers.range).toBe('bytes=400000-');
  expect(server.seen[1]?.headers).not.toHaveProperty('if-range');
  await bench.expectPackage();
});

test.each([
  ['missing', null],
  ['damaged', '{"identity":'],
  ['of another form', '{"identity":{"version":"1.2.3"},"validator":7}'],
])('a partial whose notes are %s is dropped', async (_, notes) => {
  const { bench, server } = await begun((bench) => file(bench.content));
  if (notes === null) await rm(bench.notesPath);
  else await writeFile(bench.notesPath, notes);
  expect(await bench.request(server.url())).toEqual({ resumed: false });
  expect(server.seen[1]?.headers).not.toHaveProperty('range');
  await bench.expectPackage();
});

test('a partial of another version with the same digest is dropped', async () => {
  const { bench, server } = await begun((bench) => file(bench.content));
  const notes = await readFile(bench.notesPath, 'utf8');
  await writeFile(bench.notesPath, notes.replace('1.2.3', '1.2.4'));
  expect(await bench.request(server.url())).toEqual({ resumed: false });
  await bench.expectPackage();
});

test('a partial that is longer than the package is dropped', async () => {
  const { bench, server } = await begun((bench) => file(bench.content));
  await writeFile(bench.partPath, Buffer.alloc(1_000_001));
  expect(await bench.request(server.url())).toEqual({ resumed: false });
  await bench.expectPackage();
});
