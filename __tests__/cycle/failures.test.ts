import { mkdirSync, symlinkSync } from 'node:fs';
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { BuiltPackage, PackageSketch } from '../support/build-package.js';
import { Device } from '../support/device.js';
import { until } from '../support/until.js';
import { readTree, type FileFacts } from '../support/file-tree.js';
import { accepted, type Progress } from '../support/updater-caller.js';

/** On it 1.0.0 is installed and is something of its user's. Every test promises to leave it so. */
let device: Device;

beforeAll(async () => {
  device = await Device.on({ life: 'file', environment: { TOPE_ALLOW_POST_CMDS: 'true' } });
  device.put('app/user.cfg', 'mine');
  await device.install(sketch('1.0.0'));
  await device.isTidy();
});

/** A package of two modules: a program and a folder. */
function sketch(version: string, change: Partial<PackageSketch> = {}): BuiltPackage {
  return device.build({
    version,
    modules: [
      { name: 'app', dst: device.path('app/app'), brings: { bytes: `program ${version}`, mode: 0o755 } },
      {
        name: 'data',
        dst: device.path('app/data'),
        brings: new Map([
          ['a', { bytes: `a ${version}`, deflated: true }],
          ['deep/b', { bytes: `b ${version}` }],
        ]),
      },
    ],
    ...change,
  });
}

/** Gives an order that fails; answers with what /progress shows then. */
async function failureOf(order: () => Promise<void>): Promise<Progress & { code: number }> {
  const from = device.api.heard.length;
  await order();
  await device.api.hearsStage('failed', { from });
  return { ...(await device.progress()), code: (await device.get('/progress')).code };
}

/** Nothing of the failed update may be left, on the device or in the updater's own folders. */
async function expectUntouched(before: Record<string, FileFacts>): Promise<void> {
  await device.isTidy();
  expect(await readTree(device.root)).toEqual(before);
  expect(await device.versions()).toEqual({ current: '1.0.0', previous: '0.0.0', factory: '0.0.0' });
}

describe('a package that cannot be installed leaves the device as it was [D-3]', () => {
  test.each<[string, RegExp, () => [BuiltPackage, object]]>([
    [
      'whose bytes are not the ordered ones',
      /^MD5_MISMATCH: /,
      () => [sketch('2.0.0'), { package_md5: '0'.repeat(32) }],
    ],
    [
      'that has another size than the order says',
      /^PACKAGE_SIZE_MISMATCH: /,
      () => [sketch('2.0.0'), { package_size: 1000 }],
    ],
    [
      'whose manifest has no modules',
      /^INVALID_MANIFEST: .*modules/,
      () => [sketch('2.0.0', { manifest: { modules: [] } }), {}],
    ],
    [
      'whose manifest tells another version than the order',
      /^INVALID_MANIFEST: .*9\.9\.9/,
      () => [sketch('2.0.0', { manifest: { version: '9.9.9' } }), {}],
    ],
    [
      'that writes outside the managed root',
      /^INVALID_MANIFEST: .*\/etc\/passwd/,
      () => [
        sketch('2.0.0', {
          modules: [{ name: 'app', dst: '/etc/passwd', brings: { bytes: 'root::0:0::/:/bin/sh' } }],
        }),
        {},
      ],
    ],
  ])('before it is staged: one %s [P-46]', async (_, error, makeOrder) => {
    const before = await readTree(device.root);
    const failure = await failureOf(async () => accepted(await device.download(...makeOrder())));
    expect(failure).toMatchObject({ code: 500, stage: 'failed' });
    expect(failure.error).toMatch(error);
    await expectUntouched(before);
  });

  test.each<[string, RegExp, () => BuiltPackage]>([
    [
      'with a wrong CRC',
      /^INVALID_PACKAGE: .*modules\/data\/deep\/b/,
      () =>
        sketch('2.0.0', {
          modules: [
            { name: 'app', dst: device.path('app/app'), brings: { bytes: 'program 2.0.0' } },
            {
              name: 'data',
              dst: device.path('app/data'),
              brings: new Map([
                ['a', { bytes: 'a 2.0.0' }],
                ['deep/b', { bytes: 'b 2.0.0', crc: 0xbad }],
              ]),
            },
          ],
        }),
    ],
    [
      'with a module that is not of the digest in the manifest',
      /^SHA256_MISMATCH: .*app/,
      () =>
        sketch('2.0.0', {
          modules: [
            {
              name: 'app',
              dst: device.path('app/app'),
              brings: { bytes: 'program 2.0.0' },
              also: { sha256: 'ab'.repeat(32) },
            },
          ],
        }),
    ],
  ])('while staging: one %s, which is deleted [P-19, P-30]', async (_, error, make) => {
    const before = await readTree(device.root);
    const failure = await failureOf(async () => {
      await device.fetch(make());
      accepted(await device.update('2.0.0'));
    });
    expect(failure.error).toMatch(error);
    await expectUntouched(before);
  });

  test.each<[string, string, RegExp, (path: string) => void]>([
    ['a dangling symlink', 'app/link', /dangling/, (path) => symlinkSync('nowhere', path)],
    [
      'a symlink out of the root',
      'app/out',
      /outside its root/,
      (path) => symlinkSync('/etc/hostname', path),
    ],
    ['a folder', 'app/folder', /is a folder/, (path) => mkdirSync(path)],
    ['a place below a file', 'app/user.cfg/new', /is a file/, () => undefined],
  ])('while staging: one with a module that leads to %s [P-13, D-27]', async (_, name, error, obstruct) => {
    obstruct(device.path(name));
    const before = await readTree(device.root);
    const modules = [
      { name: 'app', dst: device.path('app/app'), brings: { bytes: 'program 2.0.0' } },
      { name: 'new', dst: device.path(name), brings: { bytes: 'new' } },
    ];
    const failure = await failureOf(async () => {
      await device.fetch(sketch('2.0.0', { modules }));
      accepted(await device.update('2.0.0'));
    });
    expect(failure.error).toMatch(/^DEPLOYMENT_FAILED: /);
    expect(failure.error).toMatch(error);
    expect(await readTree(device.root)).toEqual(before);
    expect(await device.versions()).toMatchObject({ current: '1.0.0' });
  });

  test('after the switch: one whose post command fails is undone, and its version marked bad [P-18, D-79, D-86]', async () => {
    const before = await readTree(device.root);
    const modules = [
      {
        name: 'app',
        dst: device.path('app/app'),
        brings: { bytes: 'program 2.0.0' },
        also: { post_cmds: ['echo no such printer >&2; exit 3'] },
      },
      { name: 'new', dst: device.path('fresh/folder/new'), brings: { bytes: 'new' } },
    ];
    const failure = await failureOf(async () => {
      await device.fetch(sketch('2.0.0', { modules }));
      accepted(await device.update('2.0.0'));
    });
    expect(failure.error).toMatch(
      /^POST_CMD_FAILED: .*exited 3 \(no such printer\); rolled back to 1\.0\.0$/,
    );
    expect(await readTree(device.root)).toEqual(before);
    await until('2.0.0 is marked as bad', async () => {
      const releases = JSON.stringify((await device.get('/versions')).data);
      return /"version":"2\.0\.0"[^}]*"why":"POST_CMD_FAILED: /.test(releases);
    });
    expect(await device.versions()).toEqual({ current: '1.0.0', previous: '0.0.0', factory: '0.0.0' });
  });
});
