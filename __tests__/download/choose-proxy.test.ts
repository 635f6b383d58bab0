import { expect, test } from '@jest/globals';
import { chooseProxy } from '../../services/download/choose-proxy.js';

const through = (url: string, noProxy = '') =>
  chooseProxy(new URL(url), { httpProxy: 'http://plain:3128', httpsProxy: 'http://secure:3128', noProxy })
    ?.hostname ?? 'none';

test('each scheme has its own proxy', () => {
  expect(through('http://a.example/')).toBe('plain');
  expect(through('https://a.example/')).toBe('secure');
});

test('a scheme without a proxy is asked directly', () => {
  const proxies = { httpProxy: '', httpsProxy: 'http://secure:3128', noProxy: '' };
  expect(chooseProxy(new URL('http://a.example/'), proxies)).toBeNull();
});

test.each(['http://localhost:9000/', 'http://127.0.0.1/', 'https://127.8.9.10/', 'http://[::1]:80/'])(
  '%s is this device',
  (url) => expect(through(url)).toBe('none'),
);

test.each([
  ['*', 'https://a.example/'],
  ['a.example', 'https://a.example/'],
  ['A.Example', 'https://a.example/'],
  ['example', 'https://a.example/'],
  ['.example', 'https://a.example/'],
  ['*.example', 'https://a.example/'],
  ['b.example, a.example', 'https://a.example/'],
  ['b.example a.example', 'https://a.example/'],
  ['a.example:443', 'https://a.example/'],
  ['a.example:8443', 'https://a.example:8443/'],
  ['192.168.1.7', 'http://192.168.1.7/'],
  ['192.168.0.0/16', 'http://192.168.1.7/'],
  ['fd00::/8', 'http://[fd00::1]/'],
  ['[fd00::1]', 'http://[fd00::1]/'],
  ['[fd00::1]:80', 'http://[fd00::1]/'],
])('NO_PROXY %s covers %s', (noProxy, url) => expect(through(url, noProxy)).toBe('none'));

test.each([
  ['', 'https://a.example/'],
  ['b.example', 'https://a.example/'],
  ['a.example', 'https://aa.example/'],
  ['xample', 'https://a.example/'],
  ['a.example:80', 'https://a.example/'],
  ['.', 'https://a.example/'],
  ['1.7', 'http://192.168.1.7/'],
  ['192.168.0.0/24', 'http://192.168.1.7/'],
  ['192.168.0.0/99', 'http://192.168.1.7/'],
  ['10.0.0.0/8', 'http://[fd00::1]/'],
  ['0.0.0.0/0', 'https://a.example/'],
])('NO_PROXY %s does not cover %s', (noProxy, url) => expect(through(url, noProxy)).not.toBe('none'));
