import { afterEach, describe, expect, test } from '@jest/globals';
import { BASE_PATH } from '../../http/route.js';
import { ROUTES } from '../../http/routes.js';
import { closeBenches, openBench } from '../support/http-bench.js';
import { expectFault } from '../support/transport-fault.js';

afterEach(closeBenches);

const TOKEN = 'correct-horse.battery~staple/1+2==';
const CANCEL = `${BASE_PATH}/cancel`;

function openGuarded() {
  return openBench('downloading.transferring', [], { token: TOKEN });
}

describe('where a token is configured', () => {
  test.each([`Bearer ${TOKEN}`, `bearer   ${TOKEN}`, `BEARER ${TOKEN}`])(
    'an order with it is taken: %s [W-87]',
    async (authorization) => {
      const bench = await openGuarded();
      const headers = { Authorization: authorization };
      expect(await bench.call({ path: CANCEL, headers, body: {} })).toMatchObject({ json: { code: 200 } });
      expect(bench.path()).toBe('idle');
    },
  );

  test.each([
    ['none', undefined],
    ['an empty one', ''],
    ['no scheme', TOKEN],
    ['another scheme', `Basic ${TOKEN}`],
    ['the beginning of it', `Bearer ${TOKEN.slice(0, -3)}`],
    ['more than it', `Bearer ${TOKEN}=`],
    ['another case', `Bearer ${TOKEN.toUpperCase()}`],
    ['two', `Bearer ${TOKEN} ${TOKEN}`],
    ['an endless one', `Bearer ${'x'.repeat(10_000)}`],
  ])('every order with %s in its place answers 401 and does nothing [W-87]', async (_, authorization) => {
    const bench = await openGuarded();
    const headers: Record<string, string> =
      authorization === undefined ? {} : { Authorization: authorization };
    for (const { method, path } of ROUTES) {
      if (method !== 'POST') continue;
      const answer = await bench.call({ path: BASE_PATH + path, headers, body: {} });
      expectFault(answer, 401, authorization === undefined ? /token is missing/ : /token is wrong/);
      expect(answer.headers['www-authenticate']).toBe('Bearer');
      expect(answer.text).not.toContain('horse');
    }
    expect(bench.path()).toBe('downloading.transferring');
  });

  test('questions need none', async () => {
    const bench = await openGuarded();
    for (const path of ['/progress', '/state', '/versions'])
      expect(await bench.get(path)).toMatchObject({ code: 200 });
  });

  test('a foreign page is refused for what it is, with the token too', async () => {
    const bench = await openGuarded();
    const headers = { Authorization: `Bearer ${TOKEN}`, Origin: 'http://evil.example' };
    expectFault(await bench.call({ path: CANCEL, headers, body: {} }), 403, /Origin/);
  });
});
