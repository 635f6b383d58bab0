import { connect } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { closeBenches, openBench, type Bench } from '../support/http-bench.js';
import { expectFault } from '../support/transport-fault.js';

afterEach(closeBenches);

const CANCEL = '/api/v1.0/cancel';
const PROGRESS = '/api/v1.0/progress';

describe('a POST’s Content-Type', () => {
  const ask = (bench: Bench, headers: Record<string, string>) =>
    bench.call({ method: 'POST', path: CANCEL, headers, body: '{}' });

  test.each([
    'application/json',
    'Application/JSON',
    'application/json; charset=utf-8',
    'application/json;charset="UTF-8"',
    'application/json;',
  ])('may be %s [W-13]', async (type) => {
    const bench = await openBench();
    expect(await ask(bench, { 'Content-Type': type })).toMatchObject({ status: 200, json: { code: 200 } });
  });

  test('may be absent, as Go’s client leaves it [W-14]', async () => {
    const bench = await openBench();
    expect(await ask(bench, {})).toMatchObject({ status: 200, json: { code: 200 } });
  });

  test('may not be absent where a browser speaks [W-14]', async () => {
    const bench = await openBench('downloading.transferring');
    const own = `http://127.0.0.1:${bench.port}`;
    expectFault(await ask(bench, { Origin: own }), 415, /Content-Type is absent; expected application\/json/);
    expectFault(await ask(bench, { 'Sec-Fetch-Site': 'same-origin' }), 415, /absent/);
    expect(bench.path()).toBe('downloading.transferring');
  });

  test.each([
    'text/plain',
    'text/plain; application/json',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/jsonx',
    'application/json; charset=utf-16',
    'application/json, text/plain',
    'text/json',
    '',
  ])('may not be %j [W-13]', async (type) => {
    const bench = await openBench('downloading.transferring');
    expectFault(await ask(bench, { 'Content-Type': type }), 415, /expected application\/json/);
    expectFault(
      await bench.call({ method: 'POST', path: CANCEL, headers: { 'Content-Type': type } }),
      415,
      /expected/,
    );
    expect(bench.path()).toBe('downloading.transferring');
  });

  test('may not come with a compressed body', async () => {
    const bench = await openBench();
    const headers = { 'Content-Type': 'application/json', 'Content-Encoding': 'gzip' };
    expectFault(await ask(bench, headers), 415, /expected plain JSON in UTF-8/);
  });
});

describe('a body', () => {
  const bodyOf = (bytes: number) => `{"version":"1.2.0","pad":"${'x'.repeat(bytes - 28)}"}`;

  test('may have 64 KiB [W-12]', async () => {
    const bench = await openBench();
    const body = bodyOf(65_536);
    expect(Buffer.byteLength(body)).toBe(65_536);
    expect(await bench.call({ path: '/api/v1.0/update', body })).toMatchObject({
      status: 200,
      json: { code: 409 },
    });
  });

  test.each([65_537, 2_000_000])('may not have %d bytes, told beforehand or not [W-12]', async (bytes) => {
    const bench = await openBench('downloading.transferring');
    const body = bodyOf(bytes);
    const question = { path: CANCEL, body };
    const length = { 'Content-Length': String(Buffer.byteLength(body)) };
    expectFault(await bench.call({ ...question, headers: length }), 413, /over 65536 bytes/);
    expectFault(
      await bench.call({ ...question, headers: { 'Transfer-Encoding': 'chunked' } }),
      413,
      /over 65536/,
    );
    expect(bench.path()).toBe('downloading.transferring');
  });

  test('that is told to be too large is refused before it is read [W-12]', async () => {
    const bench = await openBench();
    const socket = connect(bench.port, '127.0.0.1');
    socket.write(`POST ${CANCEL} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 70000\r\n\r\n{`);
    const [first] = await new Promise<Buffer[]>((resolve) => socket.once('data', (data) => resolve([data])));
    expect(first?.toString()).toMatch(/^HTTP\/1\.1 413 /);
    socket.destroy();
  });
});

describe('a wrong method', () => {
  test.each(['GET', 'HEAD', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'])(
    '%s of an order answers 405 [W-11]',
    async (method) => {
      const bench = await openBench('downloading.transferring');
      const answer = await bench.call({ method, path: CANCEL });
      if (method === 'HEAD') expect(answer.status).toBe(405);
      else expectFault(answer, 405, `${method} is not a method of ${CANCEL}; expected POST`);
      expect(answer.headers.allow).toBe('POST');
      expect(bench.path()).toBe('downloading.transferring');
    },
  );

  test.each(['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'])(
    '%s of a question answers 405 [W-11]',
    async (method) => {
      const bench = await openBench();
      for (const path of [PROGRESS, '/', '/healthz', '/screen']) {
        const answer = await bench.call({ method, path });
        expectFault(answer, 405, `${method} is not a method of ${path}; expected GET`);
        expect(answer.headers.allow).toBe('GET, HEAD');
      }
    },
  );
});

test.each([
  '/nowhere',
  '/api/v1.0',
  '/api/v1.0/',
  '/api/v1.0/nowhere',
  '/progress',
  '/download',
  '/API/v1.0/progress',
  `${PROGRESS}/`,
  '//',
  '/%zz',
  '/..%2f',
])('an unknown route answers 404: %s [W-9, W-10]', async (path) => {
  const bench = await openBench();
  expectFault(await bench.call({ path: `${path}?token=SECRET` }), 404, /there is no route/);
  expectFault(await bench.call({ path, body: {} }), 404, /there is no route/);
  expect((await bench.call({ path: `${path}?token=SECRET` })).text).not.toContain('SECRET');
});

test('no answer has a CORS header, an ETag or x-powered-by, and each has the security headers [W-88]', async () => {
  const bench = await openBench();
  const own = { Origin: `http://127.0.0.1:${bench.port}` };
  const questions = [
    { path: PROGRESS },
    { path: PROGRESS, headers: own },
    { path: '/' },
    { path: '/screen' },
    { path: '/nowhere' },
    { path: CANCEL, body: {} },
    { path: PROGRESS, headers: { Origin: 'http://evil.example' } },
    { method: 'OPTIONS', path: CANCEL, headers: { ...own, 'Access-Control-Request-Method': 'POST' } },
  ];
  for (const question of questions) {
    const { headers } = await bench.call(question);
    const names = Object.keys(headers);
    expect(names.filter((name) => name.startsWith('access-control-'))).toEqual([]);
    expect(names).not.toContain('etag');
    expect(names).not.toContain('x-powered-by');
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
      'content-security-policy': expect.stringMatching(
        /^default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'/,
      ),
    });
  }
});
