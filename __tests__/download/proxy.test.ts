import { expect, test } from '@jest/globals';
import { DIRECT, openConnections } from '../../services/download/connections.js';
import { DownloadBench, SECRET } from '../support/download-bench.js';
import { FaultServer, file, redirect } from '../support/fault-server.js';
import { ProxyServer, type ProxyFaults } from '../support/proxy-server.js';
import { trusting } from '../support/trusting.js';
import { until } from '../support/until.js';

const HOST = 'packages.test';
const PATH = '/package.zip';

async function behindProxy(faults: ProxyFaults = {}, userinfo = '') {
  const proxy = await ProxyServer.start(faults);
  const url = proxy.url(userinfo);
  return { proxy, connections: await trusting({ httpProxy: url, httpsProxy: url }) };
}

test('a server that speaks http is asked through the proxy, by its whole URL, and resumed', async () => {
  const bench = await DownloadBench.make();
  const { proxy, connections } = await behindProxy();
  const server = await FaultServer.start(file(bench.content, { cutAfter: 400_000 }), file(bench.content));
  const url = server.url(PATH, HOST);
  await bench.failure(url, { connections });
  expect(await bench.request(url, { connections })).toEqual({ resumed: true });
  expect(proxy.seen.map(({ line }) => line)).toEqual([`GET ${url}?${SECRET}`, `GET ${url}?${SECRET}`]);
  expect(server.seen[1]).toMatchObject({
    path: `${PATH}?${SECRET}`,
    headers: { host: `${HOST}:${server.port}`, range: 'bytes=400000-', 'if-range': '"one"' },
  });
  await bench.expectPackage();
});

test('a server that speaks https is reached through a tunnel, of which the proxy sees only the name', async () => {
  const bench = await DownloadBench.make();
  const { proxy, connections } = await behindProxy();
  const server = await FaultServer.startTls(file(bench.content, { cutAfter: 400_000 }), file(bench.content));
  const url = server.url(PATH, HOST);
  await bench.failure(url, { connections });
  expect(await bench.request(url, { connections })).toEqual({ resumed: true });
  const authority = `${HOST}:${server.port}`;
  expect(proxy.seen.map(({ line }) => line)).toEqual([`CONNECT ${authority}`, `CONNECT ${authority}`]);
  expect(server.seen[1]?.headers).toMatchObject({ host: authority, range: 'bytes=400000-' });
  await bench.expectPackage();
});

test.each(['start', 'startTls'] as const)(
  'user and password of a proxy go to it and to nobody else (%s)',
  async (start) => {
    const bench = await DownloadBench.make();
    const { proxy, connections } = await behindProxy({}, 'us%40er:s3cr3t@');
    const server = await FaultServer[start](file(bench.content));
    expect(await bench.request(server.url(PATH, HOST), { connections })).toEqual({ resumed: false });
    const basic = `Basic ${Buffer.from('us@er:s3cr3t').toString('base64')}`;
    expect(proxy.seen.map(({ headers }) => headers['proxy-authorization'])).toEqual([basic]);
    expect(server.seen.map(({ headers }) => headers['proxy-authorization'])).toEqual([undefined]);
    expect(bench.lines.join()).not.toContain('us%40er');
  },
);

test('a proxy that opens no tunnel is told by its name and status, and decides whether asking again is worth it', async () => {
  const bench = await DownloadBench.make();
  const ask = async (refuses: ProxyFaults['refuses'] & object) => {
    const { proxy, connections } = await behindProxy({ refuses }, 'user:s3cr3t@');
    const error = await bench.failure(`https://${HOST}/package.zip`, { connections });
    expect(error.line).toBe(
      `DOWNLOAD_FAILED: the proxy http://127.0.0.1:${proxy.port} answered ${refuses.status}`,
    );
    return error.facts;
  };
  expect(await ask({ status: 407 })).toMatchObject({ retry: 'final' });
  expect(await ask({ status: 503, headers: { 'retry-after': '7' } })).toMatchObject({
    retry: 'retry',
    retryAfterMs: 7000,
  });
});

test('what a proxy says instead of opening a tunnel is never taken for the server’s words', async () => {
  const bench = await DownloadBench.make();
  const server = await FaultServer.startTls(file(bench.content, { cutAfter: 400_000 }));
  await bench.failure(server.url(), { connections: await trusting() });
  const { connections } = await behindProxy({
    refuses: { status: 302, headers: { location: server.url('/other') } },
  });
  const error = await bench.failure(server.url(PATH, HOST), { connections });
  expect(error.message).toMatch(/^the proxy \S+ answered 302$/);
  expect(server.seen).toHaveLength(1);
  expect(await bench.partBytes()).toBe(400_000);
});

test.each(['http', 'https'])('a proxy that is not there is told, and asked again (%s)', async (scheme) => {
  const bench = await DownloadBench.make();
  const { proxy, connections } = await behindProxy({}, 'user:s3cr3t@');
  await proxy.close();
  const error = await bench.failure(`${scheme}://${HOST}/package.zip`, { connections });
  expect(error.line).toBe(
    `DOWNLOAD_FAILED: ${scheme}://${HOST}/package.zip through the proxy http://127.0.0.1:${proxy.port}: ` +
      'connection refused (ECONNREFUSED)',
  );
  expect(error.facts.retry).toBe('retry');
});

test.each(['http', 'https'])('a proxy that says nothing is dropped (%s)', async (scheme) => {
  const bench = await DownloadBench.make();
  const { connections } = await behindProxy({ isSilent: true });
  const error = await bench.failure(`${scheme}://${HOST}/package.zip`, { connections, stallMs: 100 });
  expect(error.message).toMatch(/brought nothing for 0\.1 s/);
  expect(error.facts.retry).toBe('retry');
});

test('a download that is stopped while a proxy says nothing ends at once', async () => {
  const bench = await DownloadBench.make();
  const { proxy, connections } = await behindProxy({ isSilent: true });
  const stop = new AbortController();
  const ending = bench.failure(`https://${HOST}/package.zip`, { connections }, stop.signal);
  await until('the proxy is asked', () => proxy.seen.length > 0);
  stop.abort();
  expect((await ending).code).toBe('CANCELLED');
});

test.each(['start', 'startTls'] as const)(
  'a proxy that cuts every connection is asked until the package is whole, and no byte is lost (%s)',
  async (start) => {
    const bench = await DownloadBench.make(2_000_000);
    const { proxy, connections } = await behindProxy({ cutAfter: 300_000 });
    const server = await FaultServer[start](file(bench.content));
    for (let made = 0; made < 20; made++) {
      const outcome = await bench.request(server.url(PATH, HOST), { connections });
      if ('resumed' in outcome) break;
    }
    await bench.expectPackage();
    expect(proxy.seen.length).toBeGreaterThanOrEqual(4);
    const from = server.seen.map(({ headers }) => Number(/\d+/.exec(headers.range ?? '0')?.[0]));
    expect(from).toEqual([...from].sort((a, b) => a - b));
  },
);

test('a redirect goes through the proxy of where it leads to', async () => {
  const bench = await DownloadBench.make();
  const [first, second] = [await ProxyServer.start(), await ProxyServer.start()];
  const connections = await trusting({ httpProxy: first.url(), httpsProxy: second.url() });
  const secure = await FaultServer.startTls(file(bench.content));
  const server = await FaultServer.start(redirect(secure.url(PATH, HOST)));
  expect(await bench.request(server.url(PATH, HOST), { connections })).toEqual({ resumed: false });
  expect(first.seen).toHaveLength(1);
  expect(second.seen.map(({ line }) => line)).toEqual([`CONNECT ${HOST}:${secure.port}`]);
});

test('loopback is never asked for through a proxy', async () => {
  const bench = await DownloadBench.make();
  const proxy = await ProxyServer.start();
  const server = await FaultServer.start(file(bench.content));
  const connections = openConnections({ ...DIRECT, httpProxy: proxy.url() });
  expect(await bench.request(server.url(), { connections })).toEqual({ resumed: false });
  expect(proxy.seen).toEqual([]);
});
