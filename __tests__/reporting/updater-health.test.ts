import { execFileSync } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { UpdateError } from '../../machines/errors.js';
import { Store } from '../../services/deployment/store.js';
import { updaterHealth } from '../../services/reporting/updater-health.js';
import { RecordingLog } from '../support/recording-log.js';
import { describeIf, ROOT } from '../support/requirements.js';
import { smallDisk } from '../support/small-disk.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const saved = () => Promise.resolve();
let store: Store;
let tmpDir: string;

beforeEach(async () => {
  const folder = await temporaryFolder();
  tmpDir = join(folder, 'tmp');
  await mkdir(tmpDir);
  store = new Store(join(folder, 'store'), new RecordingLog());
  await store.make();
});

describe('an updater', () => {
  test('is well where its state is saved and its disks have room', async () => {
    expect(await updaterHealth({ store, tmpDir, saved })).toEqual({
      ok: true,
      checks: { state: 'ok', disk: 'ok' },
    });
  });

  test('is unwell while its state could not be saved [W-83]', async () => {
    const failing = () => Promise.reject(new UpdateError('DISK_FULL', 'no room'));
    expect(await updaterHealth({ store, tmpDir, saved: failing })).toEqual({
      ok: false,
      checks: { state: 'DISK_FULL: no room', disk: 'ok' },
    });
  });
});

describeIf(ROOT, 'an updater whose work folder is on a disk of its own', () => {
  test('is unwell before it has to save anything, where that is read-only [W-83]', async () => {
    const disk = await smallDisk('40m');
    execFileSync('mount', ['-o', 'remount,ro', disk]);
    expect(await updaterHealth({ store, tmpDir: disk, saved })).toMatchObject({
      ok: false,
      checks: { state: expect.stringContaining('EROFS'), disk: 'ok' },
    });
  });

  test('is unwell where that one is nearly full [W-83]', async () => {
    const disk = await smallDisk('8m');
    const { ok, checks } = await updaterHealth({ store, tmpDir: disk, saved });
    expect([ok, checks['state']]).toEqual([false, 'ok']);
    expect(checks['disk']).toMatch(`bytes are free in ${disk}, ${32 * 1024 * 1024} should be`);
  });
});
