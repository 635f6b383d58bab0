import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { Device } from '../support/device.js';
import { ROOT, testIf } from '../support/requirements.js';
import { smallDisk } from '../support/small-disk.js';
import { UpdaterProcess } from '../support/updater-process.js';

/** Puts a file that is no journal in the journal's place, and runs `recover` to its end. */
async function recoverWithDamagedJournal(device: Device) {
  const journal = join(device.storeDir, 'journal');
  mkdirSync(device.storeDir, { recursive: true, mode: 0o700 });
  writeFileSync(journal, 'a diary\n');
  const end = await new UpdaterProcess(device.environment, { args: ['recover'] }).ended();
  expect(existsSync(journal)).toBe(true);
  return end;
}

describe('recover', () => {
  test('ends with exit 1 and names the updater that runs beside it [M-30]', async () => {
    const device = await Device.on();
    const { exitCode, stderr } = await recoverWithDamagedJournal(device);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`another updater (pid ${device.updater.pid}) holds the lock`);
  });

  test('ends with exit 0 and one ERROR line where it cannot recover: the device boots [M-57]', async () => {
    const device = await Device.make();
    const { exitCode, stdout } = await recoverWithDamagedJournal(device);
    expect(exitCode).toBe(0);
    const errors = stdout.split('\n').filter((line) => line.includes(' ERROR '));
    expect(errors).toEqual([expect.stringMatching(/the files could not be recovered .*is damaged/)]);
  });

  testIf(ROOT, 'ends with exit 0 and one ERROR line where not even its lock can be made [M-57]', async () => {
    const disk = await smallDisk('1m');
    const device = await Device.make({ environment: { TOPE_MANAGED_ROOT: disk } });
    mkdirSync(join(disk, '.tope-updater'));
    writeFileSync(join(disk, '.tope-updater', 'journal'), 'a diary\n');
    execFileSync('mount', ['-o', 'remount,ro', disk]);
    const { exitCode, stdout } = await new UpdaterProcess(device.environment, { args: ['recover'] }).ended();
    expect(exitCode).toBe(0);
    const errors = stdout.split('\n').filter((line) => line.includes(' ERROR '));
    expect(errors).toEqual([expect.stringMatching(/the files could not be recovered .*EROFS/)]);
  });
});
