import { expect, test } from '@jest/globals';
import { DIRECT, openConnections } from '../../services/download/connections.js';
import { DownloadBench, SECRET } from '../support/download-bench.js';
import { FaultServer, file, redirect, type Behaviour } from '../support/fault-server.js';
import { trusting } from '../support/trusting.js';

test.each([301, 302, 303, 307, 308])('a %i is followed, and asks for the same range', async (status) => {
  const bench = await DownloadBench.make();
  const server = await FaultServer.start(
    file(bench.content, { cutAfter: 400_000 }),
    redirect(`/elsewhere?${SECRET}`, status),
    file(bench.content),
  );
  await bench.failure(server.url());
  expect(await bench.request(server.url())).toEqual({ resumed: true });
  expect(server.seen[2]).toMatchObject({
    path: `/elsewhere?${SECRET}`,
    headers: { range: 'bytes=400000-', 'if-range': '"one"' },
  });
  await bench.expectPackage();
});

test('five redirects are followed', async () => {
  const bench = await DownloadBench.make();
  const hops = [1, 2, 3, 4, 5].map((hop) => redirect(`/${hop}`));
  const server = await FaultServer.start(...hops, file(bench.content));
  expect(await bench.request(server.url())).toEqual({ resumed: false });
  expect(server.seen).toHaveLength(6);
});

test('a redirect loop ends after five', async () => {
  const bench = await DownloadBench.make();
  const server = await FaultServer.start(redirect(`/package.zip?${SECRET}`));
  const error = await bench.failure(server.url());
  expect(error.line).toBe(`DOWNLOAD_FAILED: ${server.url()} redirects more than 5 times`);
  expect(error.facts.retry).toBe('final');
  expect(server.seen).toHaveLength(6);
});

test.each(['file:///etc/shadow', 'ftp://127.0.0.1/x', 'data:,x', 'http://'])(
  'a redirect to %s is refused',
  async (location) => {
    const bench = await DownloadBench.make();
    const server = await FaultServer.start(redirect(location));
    const error = await bench.failure(server.url());
    expect(error.message).toMatch(/redirects to /);
    expect(error).toMatchObject({ code: 'DOWNLOAD_FAILED', facts: { retry: 'final' } });
    await bench.expectNothingOnDisk();
  },
);

test('a redirect to another host carries no credentials there', async () => {
  const bench = await DownloadBench.make();
  const cdn = await FaultServer.start(file(bench.content));
  const server = await FaultServer.start(redirect('/again'), redirect(cdn.url('/cdn', 'localhost')));
  const url = new URL(server.url());
  url.username = 'us%40er';
  url.password = 's3cr3t';
  expect(await bench.request(url.href)).toEqual({ resumed: false });
  const basic = `Basic ${Buffer.from('us@er:s3cr3t').toString('base64')}`;
  expect(server.seen.map(({ headers }) => headers.authorization)).toEqual([basic, basic]);
  expect(cdn.seen[0]?.headers).not.toHaveProperty('authorization');
  expect(cdn.seen[0]?.headers).not.toHaveProperty('cookie');
  expect(cdn.seen[0]?.headers).not.toHaveProperty('referer');
  expect(bench.lines.join()).not.toContain('us%40er');
});

test('a cookie that a server sets goes nowhere', async () => {
  const bench = await DownloadBench.make();
  const setting: Behaviour = ({ response }) => {
    response.writeHead(302, { location: '/next', 'set-cookie': 'a=b' }).end();
  };
  const server = await FaultServer.start(setting, file(bench.content));
  await bench.request(server.url());
  expect(server.seen[1]?.headers).not.toHaveProperty('cookie');
});

test('a redirect from https to http is refused', async () => {
  const bench = await DownloadBench.make();
  const plain = await FaultServer.start(file(bench.content));
  const server = await FaultServer.startTls(redirect(plain.url(`/plain?${SECRET}`)));
  const error = await bench.failure(server.url(), { connections: await trusting() });
  expect(error.line).toBe(
    `DOWNLOAD_FAILED: ${server.url()} redirects from https to ${plain.url('/plain')}, which is not followed`,
  );
  expect(error.facts.retry).toBe('final');
  expect(plain.seen).toEqual([]);
});

test('a redirect from http to https is followed', async () => {
  const bench = await DownloadBench.make();
  const secure = await FaultServer.startTls(file(bench.content));
  const server = await FaultServer.start(redirect(secure.url()));
  expect(await bench.request(server.url(), { connections: await trusting() })).toEqual({ resumed: false });
  await bench.expectPackage();
});

test('a redirect to a host that packages may not come from is refused before it is asked', async () => {
  const bench = await DownloadBench.make();
  const server = await FaultServer.start(
    redirect(`http://localhost:1/elsewhere?${SECRET}`),
    file(bench.content),
  );
  const connections = openConnections({ ...DIRECT, packageHosts: ['127.0.0.1'] });
  const error = await bench.failure(server.url(), { connections });
  expect(error.line).toBe(
    'DOWNLOAD_FAILED: http://localhost:1/elsewhere is not on a host that TOPE_PACKAGE_HOSTS names',
  );
  expect(error.facts.retry).toBe('final');
  expect(server.seen).toHaveLength(1);
});

test('a server that packages may not come from is not asked at all, whenever the order was taken', async () => {
  const bench = await DownloadBench.make();
  const server = await FaultServer.start(file(bench.content));
  const connections = openConnections({ ...DIRECT, packageHosts: ['packages.example'] });
  expect((await bench.failure(server.url(), { connections })).message).toContain('TOPE_PACKAGE_HOSTS');
  expect(server.seen).toHaveLength(0);
});
