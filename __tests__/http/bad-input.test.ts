import { afterEach, describe, expect, test } from '@jest/globals';
import { closeBenches, openBench } from '../support/http-bench.js';

afterEach(closeBenches);

const GOOD: Readonly<Record<string, unknown>> = {
  version: '1.2.0',
  package_url: 'https://packages.example/1.2.0.zip?X-Signature=SECRET',
  package_name: 'tope.zip',
  package_size: 1000,
  package_md5: '0'.repeat(32),
};

/** Bad values of each field of /download. */
const BAD: Readonly<Record<string, readonly unknown[]>> = {
  version: [
    '1.2',
    '1.2.0.0',
    '01.2.0',
    '1.02.0',
    '1.2.00',
    'v1.2.0',
    '1.2.0 ',
    '1.2.0\n',
    '-1.2.0',
    '1.2.0-rc1',
    '1.2.x',
    '١.٢.٣',
    '',
    `${'1'.repeat(30)}.0.0`,
    1.2,
    null,
    ['1.2.0'],
    { version: '1.2.0' },
    true,
  ],
  package_url: [
    'ftp://h/SECRET',
    'file:///etc/SECRET',
    'javascript:SECRET',
    '//h/SECRET',
    '/SECRET',
    'SECRET',
    'http://',
    '',
    7,
    null,
    ['http://h/SECRET'],
    {},
  ],
  package_name: [
    '',
    '.',
    '..',
    'a/b',
    '../x',
    '/abs',
    'nul\0byte',
    'x'.repeat(256),
    'ü'.repeat(128),
    7,
    null,
    [],
    {},
  ],
  package_size: [0, -1, 1.5, 2 ** 53, '1000', null, [1000], {}, true],
  package_md5: ['0'.repeat(31), '0'.repeat(33), 'g'.repeat(32), '', 0, null, [], {}],
  package_sha256: ['0'.repeat(63), '0'.repeat(65), 'g'.repeat(64), '0'.repeat(32), '', 0, null, [], {}],
};

describe.each(Object.entries(BAD))(
  'POST /download with a bad %s [W-19, W-21, W-22, W-23, W-24, W-25]',
  (field, values) => {
    test.each(values.map((value) => [JSON.stringify(value), value]))('%s is refused', async (_, value) => {
      const bench = await openBench();
      const json = await bench.post('/download', { ...GOOD, [field]: value });
      expect(json).toEqual({
        code: 400,
        msg: expect.stringMatching(`^VALIDATION_ERROR: ${field} must be [^;]*$`),
      });
      expect(bench.path()).toBe('idle');
    });
  },
);

describe.each(Object.keys(GOOD))('POST /download', (field) => {
  test(`names ${field} when it is missing [W-17]`, async () => {
    const bench = await openBench();
    const rest = Object.fromEntries(Object.entries(GOOD).filter(([name]) => name !== field));
    expect(await bench.post('/download', rest)).toEqual({
      code: 400,
      msg: expect.stringMatching(`^VALIDATION_ERROR: ${field} is missing; it must be [^;]*$`),
    });
  });
});

describe('a refused body', () => {
  test('has every bad field named at once, with value and expectation [W-17]', async () => {
    const bench = await openBench();
    const json = await bench.post('/download', {
      version: '1.2',
      package_url: 'ftp://h/x?SECRET',
      package_size: '9',
    });
    expect(json).toEqual({
      code: 400,
      msg:
        'VALIDATION_ERROR: version must be three numbers a.b.c without leading zeros, 32 bytes at most, not "1.2"; ' +
        'package_url must be an http or https URL; ' +
        'package_name is missing; it must be one path component of 1 to 255 bytes without / and NUL, not . or ..; ' +
        'package_size must be an integer from 1 to 9007199254740991 (bytes), not "9"; ' +
        'package_md5 is missing; it must be 32 hex digits',
    });
  });

  test('never shows a credential, in whichever field it was put', async () => {
    const bench = await openBench();
    const url = 'https://user:SECRET@packages.example/x.zip?X-Signature=SECRET';
    const fields = ['version', 'package_name', 'package_size', 'package_md5', 'package_sha256'];
    for (const value of [url, 'packages.example/x.zip?X-Signature=SECRET', [url], { url }]) {
      const body = Object.fromEntries(fields.map((field) => [field, value]));
      const { text } = await bench.call({ path: '/api/v1.0/download', body });
      expect(text).toContain('VALIDATION_ERROR');
      expect(text).not.toContain('SECRET');
    }
  });

  test('calls a URL in the wrong field only that', async () => {
    const bench = await openBench();
    expect(await bench.post('/rollback', { to: 'https://packages.example/SECRET' })).toEqual({
      code: 400,
      msg: 'VALIDATION_ERROR: to must be "previous" or "factory", not a URL',
    });
  });

  test('shows a long value cut short', async () => {
    const bench = await openBench();
    const { text } = await bench.call({ path: '/api/v1.0/update', body: { version: '9'.repeat(60_000) } });
    expect(text.length).toBeLessThan(300);
  });

  test.each([
    ['/update', {}, 'version is missing; it must be three numbers'],
    ['/update', { version: 12 }, 'version must be three numbers'],
    ['/rollback', {}, 'to is missing; it must be "previous" or "factory"'],
    ['/rollback', { to: 'current' }, 'to must be "previous" or "factory", not "current"'],
    ['/rollback', { to: ['previous'] }, 'to must be "previous" or "factory", not a list'],
  ])('of %s %j is told as a VALIDATION_ERROR', async (path, body, words) => {
    const bench = await openBench();
    expect(await bench.post(path, body)).toEqual({
      code: 400,
      msg: expect.stringContaining(`VALIDATION_ERROR: ${words}`),
    });
  });

  test.each(['/download', '/update', '/cancel', '/rollback'])(
    'of %s may be no other JSON than an object [W-18]',
    async (path) => {
      const bench = await openBench();
      for (const body of ['[]', 'null', '7', '"text"', 'true']) {
        const { json } = await bench.call({ path: `/api/v1.0${path}`, body });
        expect(json).toEqual({
          code: 400,
          msg: expect.stringMatching(/^VALIDATION_ERROR: the body must be a JSON object, not /),
        });
      }
    },
  );

  test.each(['/download', '/update', '/cancel', '/rollback'])(
    'of %s that is malformed is told as a VALIDATION_ERROR, and not quoted [W-6, W-18]',
    async (path) => {
      const bench = await openBench();
      for (const body of [
        '{',
        '{"package_url":"http://h/?SECRET",}',
        'SECRET',
        "{'a':1}",
        '{"a":1}SECRET',
        '\ufeff{}x',
      ]) {
        const { status, json } = await bench.call({ path: `/api/v1.0${path}`, body });
        expect(status).toBe(200);
        expect(json).toEqual({ code: 400, msg: 'VALIDATION_ERROR: the body is not well-formed JSON' });
      }
    },
  );

  test('that is not UTF-8 is told as a VALIDATION_ERROR [W-5]', async () => {
    const bench = await openBench();
    const body = Buffer.concat([Buffer.from('{"version":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}')]);
    const { json } = await bench.call({ path: '/api/v1.0/update', body });
    expect(json).toEqual({ code: 400, msg: 'VALIDATION_ERROR: the body is not UTF-8' });
  });
});

describe('a good body', () => {
  test.each([
    { ...GOOD, package_name: 'ü'.repeat(127) },
    { ...GOOD, package_name: '...' },
    { ...GOOD, package_name: '日本.zip' },
    { ...GOOD, package_size: 1 },
    { ...GOOD, package_size: 2 ** 53 - 1 },
    { ...GOOD, version: '0.0.0' },
    { ...GOOD, version: `${'9'.repeat(28)}.0.0` },
    { ...GOOD, package_url: 'http://[::1]:8080/x.zip' },
    { ...GOOD, package_md5: 'aBcDeF0123456789aBcDeF0123456789' },
  ])('is accepted: %j [W-19, W-22, W-23, W-24]', async (body) => {
    const bench = await openBench();
    expect(await bench.post('/download', body)).toMatchObject({ code: 200 });
  });

  test('may hold unknown fields, and __proto__ does nothing [W-16]', async () => {
    const bench = await openBench();
    const text = `{"__proto__":{"polluted":true,"version":"9.9.9"},"constructor":{"prototype":{"polluted":true}},"new":1,${JSON.stringify(GOOD).slice(1)}`;
    const { json } = await bench.call({ path: '/api/v1.0/download', body: text });
    expect(json).toMatchObject({ code: 200 });
    expect(bench.updater.port.state().context.order?.version).toBe('1.2.0');
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  });

  test('cannot take a missing field from __proto__', async () => {
    const bench = await openBench();
    const { json } = await bench.call({
      path: '/api/v1.0/update',
      body: '{"__proto__":{"version":"1.2.0"}}',
    });
    expect(json).toMatchObject({ code: 400, msg: expect.stringContaining('version is missing') });
  });
});
