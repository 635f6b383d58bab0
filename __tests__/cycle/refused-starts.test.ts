import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { Device } from '../support/device.js';
import { atEndOf } from '../support/life.js';
import { listenOn } from '../support/local-server.js';
import { hasProgram, hasRoot, testIf } from '../support/requirements.js';
import { UpdaterProcess, type UpdaterEnd } from '../support/updater-process.js';

/** Starts an updater that is not expected to stay; answers with how it ended. */
async function refusedStart(
  device: Device,
  more: NodeJS.ProcessEnv,
  under: readonly string[] = [],
): Promise<UpdaterEnd> {
  const updater = new UpdaterProcess({ ...device.environment, ...more }, { under });
  atEndOf('test', async () => {
    if (updater.isRunning) await updater.end('SIGKILL');
  });
  return updater.ended();
}

describe('an updater', () => {
  test('ends with exit 1 and names the other one where one runs on the same managed root already [M-30]', async () => {
    const device = await Device.on();
    const { pid } = device.updater;
    const otherWorkDir = join(device.folder, 'other-work');
    const { exitCode, stderr } = await refusedStart(device, { TOPE_WORK_DIR: otherWorkDir });
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`another updater (pid ${pid}) holds the lock of ${device.storeDir}`);
    expect((await device.progress()).stage).toBe('idle');
  });

  test('ends with exit 1 and names the port where that is taken [W-2]', async () => {
    const device = await Device.make();
    const taken = createServer();
    const port = await listenOn(taken);
    atEndOf('test', () => new Promise((resolve) => taken.close(() => resolve())));
    const { exitCode, stderr } = await refusedStart(device, { TOPE_PORT: String(port) });
    expect({ exitCode, stderr }).toEqual({
      exitCode: 1,
      stderr: `tope-updater: port ${port} on 127.0.0.1 is already in use\n`,
    });
    expect(device.log()).toContain(`port ${port} on 127.0.0.1 is already in use`);
  });

  test('ends with exit 78 and names every bad variable, its value and what was expected', async () => {
    const device = await Device.make();
    const bad = { TOPE_PORT: 'many', TOPE_SERVICE_MANAGER: 'upstart' };
    const { exitCode, stderr } = await refusedStart(device, bad);
    expect(exitCode).toBe(78);
    expect(stderr).toContain('TOPE_PORT is "many": expected an integer from 0 to 65535');
    expect(stderr).toContain('TOPE_SERVICE_MANAGER is "upstart": expected systemd or none');
  });

  test('ends with exit 78 where the file with the token of orders can be read by others', async () => {
    const device = await Device.make();
    const path = join(device.folder, 'token');
    writeFileSync(path, '0123456789abcdef', { mode: 0o644 });
    const { exitCode, stderr } = await refusedStart(device, { TOPE_TOKEN_FILE: path });
    expect(exitCode).toBe(78);
    expect(stderr).toContain(`TOPE_TOKEN_FILE is "${path}": expected a file of mode 0600`);
    expect(stderr).not.toContain('0123456789abcdef');
  });

  test('ends with exit 78 and names the key where its configuration file has one that it does not know', async () => {
    const device = await Device.make();
    writeFileSync(join(device.folder, 'config.json'), '{"prot": 1}');
    const { exitCode, stderr } = await refusedStart(device, {});
    expect(exitCode).toBe(78);
    expect(stderr).toContain('prot');
  });

  test('ends with exit 78 and names the root where that is no folder [D-39]', async () => {
    const device = await Device.make();
    const file = device.put('file', '');
    const { exitCode, stderr } = await refusedStart(device, { TOPE_MANAGED_ROOT: file });
    expect(exitCode).toBe(78);
    expect(stderr).toContain(
      `TOPE_MANAGED_ROOT has "${file}": expected a folder that can be written, but ${file} is no folder`,
    );
  });

  testIf(
    { met: hasRoot() && hasProgram('unshare') && hasProgram('mount'), needs: 'root and util-linux' },
    'ends with exit 78 and names the root where that is mounted read-only [D-39]',
    async () => {
      const device = await Device.make();
      const root = join(device.folder, 'read-only');
      mkdirSync(root);
      const readOnly = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec "$@"';
      const under = ['unshare', '--mount', 'sh', '-c', readOnly, root];
      const { exitCode, stderr } = await refusedStart(device, { TOPE_EXTRA_ROOTS: root }, under);
      expect(exitCode).toBe(78);
      expect(stderr).toMatch(/TOPE_EXTRA_ROOTS has "\S+\/read-only": expected a folder .* EROFS: /);
    },
  );
});
