import { appendFileSync, existsSync, lstatSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { BuiltPackage } from '../support/build-package.js';
import { Device } from '../support/device.js';
import { until } from '../support/until.js';
import { readTree, type FileFacts } from '../support/file-tree.js';
import { fieldOf } from '../support/json-fields.js';
import { accepted } from '../support/updater-caller.js';

/** A package of a program, a file that people edit, and a file that only this version has. */
function packageOf(device: Device, version: string): BuiltPackage {
  return device.build({
    version,
    modules: [
      { name: 'app', dst: device.path('app/app'), brings: { bytes: `program ${version}`, mode: 0o755 } },
      { name: 'config', dst: device.path('app/app.cfg'), brings: { bytes: `speed=${version}\n` } },
      { name: 'only', dst: device.path(`only-${version}/file`), brings: { bytes: version } },
    ],
  });
}

/** What people see of a tree: neither inodes nor times. */
function seen(tree: Record<string, FileFacts>): Record<string, Partial<FileFacts>> {
  const rows = Object.entries(tree).map(
    ([name, { kind, mode, uid, gid, content }]): [string, Partial<FileFacts>] => [
      name,
      { kind, mode, uid, gid, content },
    ],
  );
  return Object.fromEntries(rows);
}

async function noticesOf(device: Device): Promise<unknown> {
  return fieldOf((await device.get('/state')).data, 'context', 'notices');
}

describe('going back', () => {
  test('to the previous version brings back its files, and then forward again those of the newer one [W-75, D-87]', async () => {
    const device = await Device.on();
    await device.install(packageOf(device, '1.0.0'));
    const one = seen(await readTree(device.root));
    await device.install(packageOf(device, '1.1.0'));
    const two = seen(await readTree(device.root));

    await device.goBack('previous');
    // A file that 1.1.0 has brought and 1.0.0 does not know stays away.
    expect(seen(await readTree(device.root))).toEqual(one);
    expect(await device.versions()).toEqual({ current: '1.0.0', previous: '1.1.0', factory: '0.0.0' });

    await device.goBack('previous');
    expect(seen(await readTree(device.root))).toEqual(two);
    expect(await device.versions()).toEqual({ current: '1.1.0', previous: '1.0.0', factory: '0.0.0' });
  });

  test('is told to device-api as installing, rebooting, success, and fetches nothing [W-80]', async () => {
    const device = await Device.on();
    await device.install(packageOf(device, '1.0.0'));
    await device.install(packageOf(device, '1.1.0'));
    await device.api.hearsStage('success', { from: device.api.heard.length - 1 });
    const { sentBytes } = device.server;
    const from = device.api.heard.length;
    await device.goBack('previous');
    await device.api.hearsStage('success', { from });
    const told = device.api.heard.slice(from).map(({ stage }) => stage);
    expect(told.filter((stage, at) => stage !== told[at - 1])).toEqual([
      'installing',
      'rebooting',
      'success',
    ]);
    expect(device.server.sentBytes).toBe(sentBytes);
  });

  test('to factory brings back what was found before the first update, with its mode', async () => {
    const device = await Device.on();
    device.put('app/app', 'as it was found', 0o711);
    device.put('app/app.cfg', 'speed=found\n', 0o600);
    device.put('app/theirs', 'not ours');
    const found = seen(await readTree(device.root));
    await device.install(packageOf(device, '1.0.0'));
    await device.install(packageOf(device, '1.1.0'));
    await device.install(packageOf(device, '1.2.0'));

    await device.goBack('factory');
    expect(seen(await readTree(device.root))).toEqual(found);
    expect(await device.versions()).toEqual({ current: '0.0.0', previous: '1.2.0', factory: '0.0.0' });
    const refused = await device.rollback('factory');
    expect(refused).toMatchObject({ code: 404, msg: expect.stringMatching(/^PACKAGE_NOT_FOUND: /) });
  });

  test('keeps an edited file beside, names it, and gives the edit back when going forward again [D-17, D-18]', async () => {
    const device = await Device.on();
    await device.install(packageOf(device, '1.0.0'));
    await device.install(packageOf(device, '1.1.0'));
    appendFileSync(device.path('app/app.cfg'), 'accel=edited\n');

    await device.goBack('previous');
    expect(device.read('app/app.cfg')).toBe('speed=1.0.0\n');
    expect(device.read('app/app.cfg.local-1.1.0')).toBe('speed=1.1.0\naccel=edited\n');
    expect(JSON.stringify(await noticesOf(device))).toContain('app.cfg.local-1.1.0');
    await device.logs(/app\.cfg\.local-1\.1\.0/);
    await until('the history names it', async () =>
      JSON.stringify((await device.get('/history')).data).includes('app.cfg.local-1.1.0'),
    );

    await device.goBack('previous');
    expect(device.read('app/app.cfg')).toBe('speed=1.1.0\naccel=edited\n');
  });

  test('keeps each edit of a file beside, and the same edit once [D-16]', async () => {
    const device = await Device.on();
    await device.install(packageOf(device, '1.0.0'));
    writeFileSync(device.path('app/app.cfg'), 'first edit');
    await device.install(packageOf(device, '1.1.0'));
    await device.goBack('previous');
    expect(device.read('app/app.cfg')).toBe('first edit');
    await device.install(packageOf(device, '1.1.0'));
    await device.goBack('previous');
    writeFileSync(device.path('app/app.cfg'), 'second edit');
    await device.install(packageOf(device, '1.1.0'));
    const beside = readdirSync(device.path('app')).filter((name) => name.startsWith('app.cfg.'));
    expect(beside.sort()).toEqual(['app.cfg.local-1.0.0', 'app.cfg.local-1.0.0+2']);
    expect(device.read('app/app.cfg.local-1.0.0')).toBe('first edit');
    expect(device.read('app/app.cfg.local-1.0.0+2')).toBe('second edit');
  });

  test('works after a restart, and where the damage is in the store touches nothing [D-13, D-14]', async () => {
    const device = await Device.on();
    await device.install(packageOf(device, '1.0.0'));
    await device.install(packageOf(device, '1.1.0'));
    await device.isTidy();
    await device.restart('SIGTERM');
    const before = await readTree(device.root);
    for (const name of readdirSync(join(device.storeDir, 'objects')))
      writeFileSync(join(device.storeDir, 'objects', name), 'rotten');

    accepted(await device.rollback('previous'));
    await device.api.hearsStage('failed');
    const { error } = await device.progress();
    expect(error).toMatch(/^DEPLOYMENT_FAILED: release 1\.0\.0 is damaged: /);
    expect(await readTree(device.root)).toEqual(before);
    expect(await device.versions()).toMatchObject({ current: '1.1.0', previous: '1.0.0' });
  });

  test('is refused with 404 where there is no version to go back to [W-82]', async () => {
    const device = await Device.on();
    expect(await device.rollback('previous')).toMatchObject({ code: 404 });
    expect(await device.rollback('factory')).toMatchObject({ code: 404 });
  });
});

describe('installing the version that is live once more', () => {
  test('repairs what is damaged or missing, keeps the damaged file beside and leaves the rest alone [D-21]', async () => {
    const device = await Device.on();
    await device.install(packageOf(device, '1.0.0'));
    const built = packageOf(device, '1.1.0');
    await device.install(built);
    const healthy = await readTree(device.root);
    writeFileSync(device.path('app/app'), 'damaged');
    rmSync(device.path('only-1.1.0/file'));
    const { ino } = lstatSync(device.path('app/app.cfg'));

    await device.install(built);
    const repaired = seen(await readTree(device.root));
    expect(repaired).toMatchObject(seen(healthy));
    expect(device.read('app/app.local-1.1.0')).toBe('damaged');
    expect(lstatSync(device.path('app/app.cfg')).ino).toBe(ino);
    expect(await device.versions()).toEqual({ current: '1.1.0', previous: '1.0.0', factory: '0.0.0' });
    expect(existsSync(join(device.storeDir, 'journal'))).toBe(false);
  });
});
