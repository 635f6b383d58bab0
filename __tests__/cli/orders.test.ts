import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { BuiltPackage } from '../support/build-package.js';
import { Device } from '../support/device.js';
import { fieldOf } from '../support/json-fields.js';
import { URL_SECRET } from '../support/package-server.js';
import { endingOf, runNode, startNode, type Ending } from '../support/run-node.js';
import { serve } from '../support/small-server.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { until } from '../support/until.js';
import { accepted } from '../support/updater-caller.js';

const COMMAND = 'scripts/tope-updater.js';

function run(device: Device, ...args: string[]): Promise<Ending> {
  return runNode(COMMAND, [...args, '--updater', device.url], device.environment);
}

function packageOf(device: Device, version: string): BuiltPackage {
  const brings = { bytes: Buffer.alloc(200_000, version) };
  return device.build({ version, modules: [{ name: 'app', dst: device.path('app/app'), brings }] });
}

/** What `pack` prints about a package. */
function packed({ version, name, size, md5, sha256 }: BuiltPackage): string {
  const facts = { version, package_name: name, package_size: size, package_md5: md5, package_sha256: sha256 };
  return JSON.stringify(facts);
}

async function newestStory(device: Device): Promise<unknown> {
  const history = fieldOf((await device.get('/history')).data, 'history');
  return Array.isArray(history) ? history.at(-1) : null;
}

describe('an update by hand', () => {
  test('goes from a local package over update to a rollback, and all of it is told afterwards', async () => {
    const device = await Device.on({ environment: { TOPE_SETTLE_MS: '0' } });
    const built = packageOf(device, '1.2.0');
    expect(await run(device, 'update')).toEqual({
      exitCode: 1,
      stdout: '',
      stderr: 'tope-updater: no package is ready to be installed (stage idle); see tope-updater download\n',
    });
    const download = await run(device, 'download', '--file', built.path);
    expect(download).toMatchObject({ exitCode: 0, stderr: '' });
    expect(download.stdout).toMatch(
      /^1\.2\.0: downloading\n[^]+ toInstall 100 %: Package verified, ready to install\n$/,
    );

    // What anybody can read leads to nothing.
    const shown = /http:\/\/127\.0\.0\.1:\d+[^"\\]*/.exec(JSON.stringify(await device.get('/state')))?.[0];
    expect(shown).toMatch(/:\d+\/package\.zip$/);

    const update = await run(device, 'update', '--wait');
    expect(update).toMatchObject({ exitCode: 0, stderr: '' });
    expect(update.stdout).toMatch(
      /^1\.2\.0: installing\n[^]+ success 100 %: Update finished; services were not started \(no service manager\)\n$/,
    );
    expect(await newestStory(device)).toMatchObject({
      order: 'update',
      to: '1.2.0',
      bytesFetched: built.size,
      requests: 1,
      orders: [
        { order: 'download', by: 'tope-updater-cli' },
        { order: 'update', by: 'tope-updater-cli' },
      ],
    });
    const versions = await run(device, 'versions');
    expect(versions.stdout).toMatch(
      /^current {3}1\.2\.0\nprevious {2}0\.0\.0\nfactory {3}0\.0\.0\n\nVERSION +RELEASE/,
    );
    expect(versions.stdout).toMatch(/^1\.2\.0 +000001-1\.2\.0 +\d{4}-\S+Z +200000$/m);

    const rollback = await run(device, 'rollback', 'factory', '--wait', '--json');
    const lines = rollback.stdout
      .trim()
      .split('\n')
      .map((line): unknown => JSON.parse(line));
    expect(rollback.exitCode).toBe(0);
    expect(lines[0]).toMatchObject({ code: 200, data: { status: 'installing', version: '0.0.0' } });
    expect(lines.at(-1)).toMatchObject({ stage: 'success', progress: 100, error: null });

    const history = await run(device, 'history');
    expect(history.stdout).toMatch(
      /Z {2}update to 1\.2\.0: success \(\d+\.\d s; \d+ bytes fetched in 1 request; download by/,
    );
    expect(history.stdout).toMatch(
      /\n {2}stages: downloading \d+\.\d s, verifying [\d.]+ s, toInstall [\d.]+ s, installing [\d.]+ s, rebooting/,
    );
    expect(history.stdout).toMatch(/Z {2}rollback 1\.2\.0 → 0\.0\.0: success \(/);
    const last = await run(device, 'history', '--last', '1', '--json');
    expect(JSON.parse(last.stdout)).toMatchObject({ id: 2, order: 'rollback', from: '1.2.0', to: '0.0.0' });
  }, 60_000);

  test('takes a URL and what pack printed, from a file or a pipe, and can be cancelled', async () => {
    const device = await Device.on();
    const built = packageOf(device, '1.3.0');
    const file = join(device.folder, 'packed.json');
    await writeFile(file, packed(built));
    const withUrl = join(device.folder, 'with-url.json');
    const address = JSON.stringify(device.server.urlOf(built));
    await writeFile(withUrl, packed(built).replace(/}$/, `,"package_url":${address}}`));
    const { release } = device.server.holdAfter(0);
    expect(await run(device, 'download', '--packed', withUrl)).toMatchObject({ exitCode: 0, stderr: '' });
    expect(await run(device, 'cancel')).toMatchObject({ exitCode: 0, stdout: 'cancelled\n' });
    const asking = startNode(
      COMMAND,
      ['download', '--url', '-', '--packed', file, '--updater', device.url],
      device.environment,
    );
    asking.stdin?.end(`${device.server.urlOf(built)}\n`);
    const ordered = await endingOf(asking);
    expect(ordered).toEqual({ exitCode: 0, stdout: '1.3.0: downloading\n', stderr: '' });
    expect(await run(device, 'cancel')).toEqual({ exitCode: 0, stdout: 'cancelled\n', stderr: '' });
    expect(await run(device, 'cancel')).toMatchObject({ exitCode: 0, stdout: 'nothing to cancel\n' });
    expect(await newestStory(device)).toMatchObject({
      outcome: 'cancelled',
      orders: [{}, { order: 'cancel' }],
    });
    release();

    const args = [
      'download',
      '--url',
      device.server.urlOf(built),
      '--wait',
      '--json',
      '--updater',
      device.url,
    ];
    const piped = startNode(COMMAND, args, device.environment);
    piped.stdin?.end(packed(built));
    const { exitCode, stdout, stderr } = await endingOf(piped);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).not.toContain(URL_SECRET);
    const other = await run(device, 'update', '9.9.9', '--json');
    expect(other.exitCode).toBe(1);
    expect(JSON.parse(other.stdout)).toMatchObject({ code: 404 });
    expect(other.stderr).toBe(
      'tope-updater: PACKAGE_NOT_FOUND: the package that is ready is 1.3.0, not 9.9.9\n',
    );
  }, 60_000);

  test('goes on after a kill of the updater in the middle of handing over, and its story too', async () => {
    const device = await Device.on({ environment: { TOPE_MAX_RATE: '200000', TOPE_SETTLE_MS: '0' } });
    const built = packageOf(device, '1.4.0');
    const { release } = device.server.holdAfter(0);
    accepted(await device.download(built));
    // A story is written after the save that it tells of: without this the kill may come before its beginning is there.
    const begun = await until('the story to have begun', () => newestStory(device));
    await device.restart('SIGKILL');
    release();
    await device.reaches('toInstall');
    accepted(await device.update('1.4.0'));
    await device.reaches('success');
    await device.restart('SIGTERM');
    const history = fieldOf((await device.get('/history')).data, 'history');
    expect(history).toMatchObject([
      {
        startedAt: fieldOf(begun, 'startedAt'),
        restarts: 1,
        outcome: 'success',
        orders: [{}, {}],
        stageMs: { downloading: expect.any(Number), rebooting: expect.any(Number) },
      },
    ]);
  }, 60_000);
});

describe('a local package', () => {
  test('that is none is refused here, before the updater is asked', async () => {
    const path = join(await temporaryFolder(), 'p.zip');
    await writeFile(path, 'PK but no ZIP');
    const { exitCode, stderr } = await runNode(COMMAND, ['download', '--file', path]);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^tope-updater: .*ZIP/);
  });

  test('is told how it can be taken where the device fetches from named hosts alone', async () => {
    const device = await Device.make();
    const refusal =
      'VALIDATION_ERROR: package_url must lead to a host in TOPE_PACKAGE_HOSTS (cdn), not to 127.0.0.1';
    const url = await serve((_request, response) =>
      response.end(JSON.stringify({ code: 400, msg: refusal })),
    );
    const { path } = packageOf(device, '1.2.0');
    const { exitCode, stderr } = await runNode(COMMAND, ['download', '--file', path, '--updater', url]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('add 127.0.0.1 to TOPE_PACKAGE_HOSTS, or give --url');
  });
});

describe('an order that is called wrongly', () => {
  test.each([
    [['download'], 'expected --file, --url or --packed'],
    [['download', '--file', 'a', '--url', 'b'], '--file reads the package itself'],
    [['download', '--file', 'a', '--packed', 'b'], '--file reads the package itself'],
    [['download', '--url', '-'], 'both cannot be read from the standard input'],
    [['download', '--url', 'http://h/p', '--packed', '/nowhere'], '/nowhere cannot be read: ENOENT'],
    [['download', '--file', 'a', '--updater', 'http://192.0.2.1:1'], 'give --url'],
    [['rollback', 'yesterday'], 'yesterday is no release to go back to: expected previous or factory'],
    [['update', '1.0.0', '2.0.0'], 'one word is enough; what is 2.0.0?'],
    [['history', '--last', '0'], '--last is "0": expected a number from 1'],
  ])('ends with 2 and says why: %p', async (args, words) => {
    const { exitCode, stdout, stderr } = await runNode(COMMAND, args);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toContain(words);
    expect(stderr).toContain(`see tope-updater ${String(args[0])} --help`);
  });

  test('names every field that pack would have printed otherwise', async () => {
    const file = join(await temporaryFolder(), 'packed.json');
    await writeFile(file, '{"version":"1.2","package_name":"p.zip","package_size":1}');
    const { exitCode, stderr } = await runNode(COMMAND, [
      'download',
      '--url',
      'http://h/p?sig=X',
      '--packed',
      file,
    ]);
    expect(exitCode).toBe(2);
    for (const words of ['version must be', 'package_md5 is missing']) expect(stderr).toContain(words);
    expect(stderr).not.toContain('sig=X');
  });
});
