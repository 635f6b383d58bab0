import { randomUUID } from 'node:crypto';
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { Device } from '../support/device.js';
import { until } from '../support/until.js';
import { accepted } from '../support/updater-caller.js';

const MEGABYTE = 1024 * 1024;
const ENTRY = { file: '__tests__/support/updater-of-another-boot.js', args: [] };

/** A device that can be rebooted: the updater is killed and the boot has another name. */
async function deviceThatReboots() {
  const device = await Device.make({ entry: ENTRY });
  const bootIdFile = join(device.folder, 'boot_id');
  const boot = async (): Promise<void> => {
    writeFileSync(bootIdFile, randomUUID());
    await device.start({ BOOT_ID_FILE: bootIdFile });
  };
  await boot();
  const reboot = async (): Promise<void> => {
    await device.updater.end('SIGKILL');
    await boot();
  };
  return { device, reboot };
}

test('a download that a reboot cut goes on from the last byte that was surely on disk [M-40, T-13]', async () => {
  const { device, reboot } = await deviceThatReboots();
  const built = device.build({
    version: '1.0.0',
    modules: [
      {
        name: 'app',
        dst: device.path('app'),
        brings: { bytes: Buffer.alloc(20 * MEGABYTE, 'bytes of 1.0.0') },
      },
    ],
  });
  const { release } = device.server.holdAfter(12 * MEGABYTE);
  accepted(await device.download(built));
  const partial = join(device.workDir, 'tmp', `${built.md5}-${built.size}.zip.part`);
  await until('12 MiB have come', () => existsSync(partial) && statSync(partial).size >= 12 * MEGABYTE);
  await reboot();
  release();
  await device.reaches('toInstall');
  // An fsync follows each 8 MiB; what came behind the last one may be lost with the power.
  expect(device.server.ranges).toEqual(['', `bytes=${8 * MEGABYTE}-`]);
  accepted(await device.update('1.0.0'));
  await device.reaches('success');
  expect(statSync(device.path('app')).size).toBe(20 * MEGABYTE);
});

test('a package that was ready before a reboot is ready after it [M-44]', async () => {
  const { device, reboot } = await deviceThatReboots();
  const modules = [{ name: 'app', dst: device.path('app'), brings: { bytes: 'app' } }];
  await device.fetch(device.build({ version: '1.0.0', modules }));
  await device.api.hearsStage('toInstall');
  await reboot();
  expect((await device.progress()).stage).toBe('toInstall');
  accepted(await device.update('1.0.0'));
  await device.reaches('success');
  expect(device.read('app')).toBe('app');
});
