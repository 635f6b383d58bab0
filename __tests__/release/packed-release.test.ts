import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { buildRelease } from '../../scripts/release/build-release.js';
import { NODE_ENVIRONMENT, NODE_FLAGS } from '../../scripts/release/node-flags.js';
import { Device } from '../support/device.js';
import { fieldOf } from '../support/json-fields.js';
import { atEndOf } from '../support/life.js';
import { CHECKOUT, releaseArchive } from '../support/release-archive.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const run = promisify(execFile);
let path: string;
let folder: string;

/** What the unit calls: it becomes the updater, whatever command it is given. */
const launcher = () => join(folder, 'program', 'bin', 'tope-updater');
const asUpdater = () => ({ under: ['sh', '-c', `exec ${launcher()} serve`] });

describe('the packed release', () => {
  beforeAll(async () => {
    ({ path } = await releaseArchive());
    folder = await mkdtemp(join(tmpdir(), 'tope-unpacked-'));
    atEndOf('file', () => rm(folder, { recursive: true, force: true }));
    await run('tar', ['-C', folder, '--strip-components=1', '-xzf', path]);
  });

  test('has the same bytes when it is packed again', async () => {
    const again = await buildRelease({ checkout: CHECKOUT, into: await temporaryFolder() });
    const [one, other] = await Promise.all([path, again.path].map((file) => readFile(file)));
    expect(digest(other)).toBe(digest(one));
  });

  test('is one program file, with what must stay beside it', async () => {
    const entries = await readdir(join(folder, 'program'), { recursive: true, withFileTypes: true });
    const files = entries.filter(
      (entry) => entry.isFile() && !/\/(?:docs|pages)$|\/docs\//.test(entry.parentPath),
    );
    expect(files.map(({ name }) => name).sort()).toEqual([
      ...['package.json', 'tope-updater', 'tope-updater.js', 'tope-updater.js.map', 'uninstall'],
    ]);
    const { length } = await readFile(path);
    console.log(`the release has ${length} bytes`);
    expect(length).toBeLessThan(2_000_000);
  });

  test('tells the licences of what is in the file, and of nothing else', async () => {
    const notices = await readFile(join(folder, 'THIRD_PARTY_NOTICES'), 'utf8');
    for (const name of ['got', 'express', 'ajv', 'xstate', 'winston-daily-rotate-file', 'yauzl'])
      expect(notices).toMatch(new RegExp(`^${name} \\d`, 'm'));
    expect(notices).not.toMatch(/^esbuild \d/m);
    expect(notices).not.toContain('no words of its licence');
  });

  test('calls node with the flags and variables that are measured', async () => {
    const words = await readFile(launcher(), 'utf8');
    expect(words).toContain(`exec "$node" ${NODE_FLAGS.join(' ')} "$program`);
    for (const [name, value] of Object.entries(NODE_ENVIRONMENT))
      expect(words).toMatch(new RegExp(`^export .*${name}=${value}`, 'm'));
  });

  test('tells its version, and how its commands are used', async () => {
    const facts: unknown = JSON.parse(await readFile(join(CHECKOUT, 'package.json'), 'utf8'));
    expect((await run(launcher(), ['--version'])).stdout.trim()).toBe(fieldOf(facts, 'version'));
    for (const command of ['recover', 'factory', 'pack'])
      expect((await run(launcher(), [command, '--help'])).stdout).toMatch(/^Usage: tope-updater/);
  });

  test('draws the machine', async () => {
    expect((await run(launcher(), ['visualize'])).stdout).toContain('rollingBack');
  });

  test('leads errors back to lines of the sources, and shows no more than a short line', async () => {
    const [code, map] = await Promise.all(
      ['tope-updater.js', 'tope-updater.js.map'].map((name) =>
        readFile(join(folder, 'program/dist/scripts', name), 'utf8'),
      ),
    );
    const longest = Math.max(...(code ?? '').split('\n').map((line) => line.length));
    expect(longest).toBeLessThan(4000);
    const sources = fieldOf(JSON.parse(map ?? ''), 'sources');
    expect(sources).toEqual(expect.arrayContaining(['../../services/updater.ts', '../../http/server.ts']));
  });

  describe('installed by hand', () => {
    let device: Device;

    beforeAll(async () => {
      const environment = { TOPE_MANAGED_ROOT: folder };
      device = await Device.on({ life: 'file', entry: asUpdater(), environment });
      await mkdir(join(folder, 'app'), { recursive: true });
    });

    test('brings an update from the first order to success, and logs it', async () => {
      const dst = join(folder, 'app/program');
      await device.install(
        device.build({ version: '1.2.3', modules: [{ name: 'app', dst, brings: { bytes: 'new' } }] }),
      );
      expect(await readFile(dst, 'utf8')).toBe('new');
      await device.logs(/release committed/);
    });

    test('lets no package write into its program [D-29]', async () => {
      const dst = join(folder, 'program/dist/scripts/tope-updater.js');
      const built = device.build({
        version: '1.2.4',
        modules: [{ name: 'evil', dst, brings: { bytes: 'new' } }],
      });
      await device.download(built);
      await device.reaches('failed');
      expect(await device.progress()).toMatchObject({ error: expect.stringMatching(/^INVALID_MANIFEST: /) });
    });

    test('serves its pages with all that they load', async () => {
      for (const page of ['visualizer', 'screen']) {
        const html = await (await fetch(`${device.url}/${page}`)).text();
        const loaded = [...html.matchAll(/(?:src|href)="(\/pages\/[^"]+)"/g)].map(([, path = '']) => path);
        expect(loaded.length).toBeGreaterThan(1);
        for (const path of loaded) expect((await fetch(device.url + path)).status).toBe(200);
      }
    });

    test('is run with the flags', async () => {
      const command = await readFile(`/proc/${device.updater.pid}/cmdline`, 'utf8');
      expect(command.split('\0')).toEqual(expect.arrayContaining([...NODE_FLAGS]));
    });
  });
});

function digest(bytes: Buffer | undefined): string {
  return createHash('sha256')
    .update(bytes ?? '')
    .digest('hex');
}
