import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { Device } from '../support/device.js';
import { until } from '../support/until.js';
import { answer, FaultServer, file, type Behaviour } from '../support/fault-server.js';
import { orderFrom, URL_CREDENTIAL } from '../support/order-from.js';
import { ProxyServer } from '../support/proxy-server.js';
import { leaksOf } from '../support/leaks.js';
import { authorityFile } from '../support/trusting.js';

/** A good package of some 600 kB that no compression makes smaller. */
function goodPackage(device: Device) {
  const built = device.build({
    version: '1.0.0',
    modules: [{ name: 'app', dst: device.path('app'), brings: { bytes: randomBytes(600_000) } }],
  });
  return { content: readFileSync(built.path), identity: built };
}

/** How the requests of an order were spaced, in ms. */
function pauses(times: readonly number[]): number[] {
  return times.slice(1).map((at, before) => at - (times[before] ?? 0));
}

function timed(times: number[], behaviour: Behaviour): Behaviour {
  return (exchange) => {
    times.push(performance.now());
    return behaviour(exchange);
  };
}

describe('a device whose server', () => {
  test('answers 404 for ever asks four times, after 1 s, 2 s and 4 s, and then says so [M-6]', async () => {
    const device = await Device.on();
    const { identity } = goodPackage(device);
    const times: number[] = [];
    const server = await FaultServer.start(timed(times, answer(404)));
    await orderFrom(device, server.url(), identity);
    await device.api.hearsStage('failed');
    expect((await device.progress()).error).toBe(`DOWNLOAD_FAILED: ${server.url()} answered 404`);
    const [first = 0, second = 0, third = 0, ...more] = pauses(times);
    expect(more).toEqual([]);
    expect(first).toBeGreaterThan(990);
    expect(second).toBeGreaterThan(1990);
    expect(third).toBeGreaterThan(3990);
    expect(first + second + third).toBeLessThan(14_000);
    expect(await leaksOf(device, URL_CREDENTIAL)).toEqual([]);
  }, 30_000);

  test('answers 503 twice, once with Retry-After, and then well, is ready', async () => {
    const device = await Device.on();
    const { content, identity } = goodPackage(device);
    const times: number[] = [];
    const server = await FaultServer.start(
      timed(times, answer(503, { 'retry-after': '2' })),
      timed(times, answer(503)),
      timed(times, file(content)),
    );
    await orderFrom(device, server.url(), identity);
    await device.reaches('toInstall');
    const [asked = 0, own = 0] = pauses(times);
    expect(asked).toBeGreaterThan(2000);
    expect(own).toBeGreaterThan(2000);
    expect(own).toBeLessThan(6000);
  }, 30_000);
});

describe('one device', () => {
  let device: Device;
  let content: Buffer;
  let identity: ReturnType<typeof goodPackage>['identity'];

  beforeAll(async () => {
    device = await Device.on({ life: 'file' });
    ({ content, identity } = goodPackage(device));
  });

  async function failure(): Promise<string> {
    await device.isIn('failed');
    return (await device.progress()).error ?? '';
  }

  test('whose URL has run out fails at once, and a fresh URL goes on with the same partial', async () => {
    const server = await FaultServer.start(file(content, { cutAfter: 250_000 }), answer(403));
    await orderFrom(device, server.url(), identity);
    expect(await failure()).toBe(`DOWNLOAD_FAILED: ${server.url()} answered 403`);
    expect(server.seen).toHaveLength(2);
    server.behave(file(content));
    await orderFrom(device, server.url(), identity);
    await device.reaches('toInstall');
    expect(server.seen[2]?.headers.range).toBe('bytes=250000-');
    expect(server.sentBytes).toBe(content.length);
    await device.post('/cancel', {});
  });

  test('whose server forgets Range and cuts late for ever is sent twice the package and no more', async () => {
    const server = await FaultServer.start(
      file(content, { ignoresRange: true, cutAfter: Math.floor(0.9 * content.length) }),
    );
    await orderFrom(device, server.url(), identity);
    expect(await failure()).toBe(
      `DOWNLOAD_FAILED: ${server.url()} brought ${2 * content.length} bytes and not the package of ` +
        `${content.length}: no more is fetched`,
    );
    expect(server.seen).toHaveLength(3);
  }, 20_000);

  test('whose server gave it two halves of two files fetches it once more from byte 0, and is ready [M-10]', async () => {
    const { content: right, identity: ordered } = goodPackage(device);
    const nameless = { etag: null };
    const wrong = Buffer.from(right);
    wrong.writeUInt32LE(~wrong.readUInt32LE(100) >>> 0, 100);
    const server = await FaultServer.start(
      file(wrong, { ...nameless, cutAfter: 300_000 }),
      file(right, nameless),
    );
    await orderFrom(device, server.url(), ordered);
    await device.reaches('toInstall');
    expect(server.seen.map(({ headers }) => headers.range)).toEqual([undefined, 'bytes=300000-', undefined]);
    await device.post('/cancel', {});
  }, 20_000);
});

describe('progress', () => {
  test('is an integer, tells megabytes, and never goes backwards, whatever the server and the updater do [W-46, W-49, W-54]', async () => {
    const device = await Device.on();
    const { content, identity } = goodPackage(device);
    const slowly = { pieceBytes: 16_384, pauseMs: 10 };
    const server = await FaultServer.start(
      file(content, { ...slowly, cutAfter: 250_000 }),
      file(content, { ...slowly, ignoresRange: true, cutAfter: 400_000 }),
      file(content, { ...slowly, stallAfter: 50_000 }),
    );
    const told: { progress: number; message: string }[] = [];
    const watch = (stage: string, percent: number) =>
      until(`${stage} at ${percent} %`, async () => {
        const now = await device.progress();
        if (now.stage === 'downloading') told.push(now);
        return now.stage === stage && now.progress >= percent;
      });
    await orderFrom(device, server.url(), identity);
    await watch('downloading', 70);
    await device.updater.end('SIGKILL');
    server.behave(file(content, slowly));
    await device.start();
    await watch('toInstall', 100);
    const percents = told.map(({ progress }) => progress);
    expect(percents.every(Number.isInteger)).toBe(true);
    expect(percents).toEqual([...percents].sort((a, b) => a - b));
    expect(new Set(percents).size).toBeGreaterThan(10);
    for (const { message } of told.filter(({ progress }) => progress > 0))
      expect(message).toMatch(/^Downloading package\.\.\. 0\.\d MB \/ 0\.6 MB$/);
  }, 30_000);
});

describe('a device that is told of a proxy, an authority and a limit', () => {
  test('fetches through all of them, and shows neither credential', async () => {
    const proxy = await ProxyServer.start();
    const device = await Device.on({
      environment: {
        HTTPS_PROXY: proxy.url(`user:${URL_CREDENTIAL}@`),
        TOPE_CA_FILE: await authorityFile(),
        TOPE_MAX_RATE: '500000',
        TOPE_LOG_LEVEL: 'debug',
      },
    });
    const { content, identity } = goodPackage(device);
    const server = await FaultServer.startTls(file(content));
    const begun = performance.now();
    await orderFrom(device, server.url('/package.zip', 'packages.test'), identity);
    await device.reaches('toInstall');
    expect(performance.now() - begun).toBeGreaterThan(1000);
    expect(proxy.seen.map(({ line }) => line)).toEqual([`CONNECT packages.test:${server.port}`]);
    expect(await leaksOf(device, URL_CREDENTIAL)).toEqual([]);
  }, 20_000);

  test('does not start where the file of authorities is not there, and names it', async () => {
    const device = await Device.make({ environment: { TOPE_CA_FILE: '/nonexistent/ca.pem' } });
    const { exitCode, stdout, stderr } = await device.launch().ended();
    expect(exitCode).toBe(78);
    expect(stdout + stderr).toContain('TOPE_CA_FILE is "/nonexistent/ca.pem"');
  });
});
