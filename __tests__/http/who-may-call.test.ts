import { afterEach, describe, expect, test } from '@jest/globals';
import { closeBenches, openBench } from '../support/http-bench.js';
import { expectFault } from '../support/transport-fault.js';

afterEach(closeBenches);

const CANCEL = '/api/v1.0/cancel';
const PROGRESS = '/api/v1.0/progress';

describe('a request’s Host [W-85]', () => {
  test.each([
    'localhost',
    'LOCALHOST:80',
    '127.0.0.1',
    '127.0.0.1:12315',
    '[::1]',
    '[::1]:12315',
    'Printer.local:9',
  ])('may be %s', async (host) => {
    const bench = await openBench('idle', ['printer.local']);
    expect(await bench.call({ path: PROGRESS, headers: { Host: host } })).toMatchObject({ status: 200 });
  });

  test.each([
    'evil.example',
    'evil.example:12315',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    'evil.example#localhost',
    'user@localhost',
    'localhost:',
    'localhost:x',
    'localhost:123456',
    '::1',
    '[::1',
    '[::2]',
    '127.0.0.2',
    '0.0.0.0',
    '2130706433',
    '',
  ])('may not be %j', async (host) => {
    const bench = await openBench('downloading.transferring', ['printer.local']);
    for (const question of [
      { path: PROGRESS },
      { path: '/' },
      { path: '/nowhere' },
      { path: CANCEL, body: {} },
    ]) {
      const answer = await bench.call({ ...question, headers: { Host: host } });
      expectFault(answer, 421, /is not a name of this updater; expected localhost/);
    }
    expect(bench.path()).toBe('downloading.transferring');
  });

  test('may not be absent', async () => {
    const bench = await openBench();
    expectFault(await bench.call({ path: PROGRESS, setHost: false }), 421, /Host ""/);
  });

  test('is not taken from a proxy’s form of request', async () => {
    const bench = await openBench();
    expectFault(await bench.call({ path: `http://evil.example${PROGRESS}` }), 421, /not a path/);
  });
});

describe('a request’s Origin [W-86]', () => {
  test.each(['http', 'https'])('may be our own page (%s)', async (scheme) => {
    const bench = await openBench('downloading.transferring');
    const headers = { Origin: `${scheme}://127.0.0.1:${bench.port}`, 'Sec-Fetch-Site': 'same-origin' };
    expect(await bench.call({ path: PROGRESS, headers })).toMatchObject({ status: 200 });
    expect(await bench.call({ path: CANCEL, headers, body: {} })).toMatchObject({ status: 200 });
    expect(bench.path()).toBe('idle');
  });

  test.each([
    'http://evil.example',
    'null',
    'http://localhost:9080',
    'http://127.0.0.1',
    'http://127.0.0.1:1',
    'file://',
    '',
    'http://127.0.0.1.evil.example',
  ])('may not be %j, whatever is asked', async (origin) => {
    const bench = await openBench('downloading.transferring');
    for (const question of [{ path: PROGRESS }, { path: '/screen' }, { path: CANCEL, body: {} }]) {
      expectFault(
        await bench.call({ ...question, headers: { Origin: origin } }),
        403,
        /^VALIDATION_ERROR: Origin /,
      );
    }
    expect(bench.path()).toBe('downloading.transferring');
  });

  test.each(['cross-site', 'same-site', 'anything'])(
    'that is hidden shows in Sec-Fetch-Site: %s',
    async (site) => {
      const bench = await openBench('downloading.transferring');
      const headers = { 'Sec-Fetch-Site': site };
      expectFault(await bench.call({ path: PROGRESS, headers }), 403, /Sec-Fetch-Site/);
      expectFault(await bench.call({ path: CANCEL, headers, body: {} }), 403, /Sec-Fetch-Site/);
      const asLink = { ...headers, 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'document' };
      expectFault(await bench.call({ path: CANCEL, headers: asLink, body: {} }), 403, /Sec-Fetch-Site/);
      const inFrame = { ...asLink, 'Sec-Fetch-Dest': 'iframe' };
      expectFault(await bench.call({ path: '/screen', headers: inFrame }), 403, /Sec-Fetch-Site/);
      expect(bench.path()).toBe('downloading.transferring');
    },
  );

  test('does not matter when a person follows a link to a page, or types its address', async () => {
    const bench = await openBench();
    const link = {
      'Sec-Fetch-Site': 'cross-site',
      'Sec-Fetch-Mode': 'navigate',
      'Sec-Fetch-Dest': 'document',
    };
    expect(await bench.call({ path: '/screen', headers: link })).toMatchObject({ status: 200 });
    expect(await bench.call({ path: '/screen', headers: { 'Sec-Fetch-Site': 'none' } })).toMatchObject({
      status: 200,
    });
  });
});
