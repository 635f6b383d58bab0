import { afterEach, describe, expect, test } from '@jest/globals';
import { leadsToHost } from '../../machines/package-hosts.js';
import { closeBenches, openBench } from '../support/http-bench.js';
import { ORDER } from '../support/machine-states.js';

afterEach(closeBenches);

const HOSTS = ['packages.example', '*.CDN.example', '[fe80::1]', '10.0.0.1'];

test.each([
  'http://packages.example/x',
  'https://PACKAGES.example:8443/x?y',
  'http://user:pw@packages.example/',
  'https://a.cdn.example/',
  'https://a.b.cdn.example/',
  'http://[FE80::1]/',
  'http://10.0.0.1/',
  'http://0x0a.1/',
])('a package may come from %s', (url) => {
  expect(leadsToHost(url, HOSTS)).toBe(true);
  expect(leadsToHost(url, [])).toBe(true);
});

test.each([
  'http://evil.example/packages.example',
  'http://packages.example@evil.example/',
  'http://packages.example.evil.example/',
  'http://evilpackages.example/',
  'https://cdn.example/',
  'https://evilcdn.example/',
  'http://10.0.0.10/',
  'http://127.0.0.1/',
])('a package may not come from %s', (url) => {
  expect(leadsToHost(url, HOSTS)).toBe(false);
});

describe('an order for a package from another host', () => {
  const body = {
    version: ORDER.version,
    package_url: 'https://user:pw@evil.example/1.2.0.zip?X-Signature=SECRET',
    package_name: ORDER.name,
    package_size: ORDER.size,
    package_md5: ORDER.md5,
  };

  test('answers VALIDATION_ERROR with the hosts and without the URL’s credentials, and starts nothing', async () => {
    const bench = await openBench('idle', [], { packageHosts: HOSTS });
    expect(await bench.post('/download', body)).toEqual({
      code: 400,
      msg: 'VALIDATION_ERROR: package_url must lead to a host in TOPE_PACKAGE_HOSTS (packages.example, *.CDN.example, [fe80::1], 10.0.0.1), not to evil.example',
    });
    expect(bench.path()).toBe('idle');
  });

  test('is taken where no hosts are named', async () => {
    const bench = await openBench();
    expect(await bench.post('/download', body)).toMatchObject({ code: 200 });
  });
});
