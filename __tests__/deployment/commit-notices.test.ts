import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { keptNotices } from '../../services/deployment/commit-notices.js';
import { Journal } from '../../services/deployment/journal.js';
import { watchSteps } from '../../services/steps.js';
import { ApiDevice } from '../support/api-device.js';
import { cutAt } from '../support/cut.js';

/** A device about to commit 1.1.0, on which a file was edited. */
async function withEditedFile(): Promise<{ device: ApiDevice; words: string }> {
  const device = await ApiDevice.make();
  await device.install('1.0.0', { [device.at('conf')]: 'speed=1' });
  await writeFile(device.at('conf'), 'speed=9');
  await device.switchTo('1.1.0', { [device.at('conf')]: 'speed=2' });
  const path = device.at('conf');
  return { device, words: `${path} was edited on this device: kept as ${path}.local-1.0.0` };
}

test('what a commit has to tell is still there when it was cut right after it, and gone once its end is saved [D-77]', async () => {
  const { device, words } = await withEditedFile();
  const { bench } = device;
  expect(await keptNotices(bench.store, bench.log)).toEqual([]);
  await cutAt(1, () => bench.effects.commitRelease(), 'journal.remove');
  expect(await Journal.read(bench.store.journalPath)).toBeNull();
  expect(await keptNotices(bench.store, bench.log)).toEqual([words]);
  await bench.close();
  expect(await keptNotices(bench.store, bench.log)).toEqual([]);
  expect(await bench.faults()).toEqual([]);
});

test('notices that cannot be read are a warning', async () => {
  const { device } = await withEditedFile();
  const { bench } = device;
  await writeFile(join(bench.store.staging, 'notices.json'), '{');
  expect(await keptNotices(bench.store, bench.log)).toEqual([]);
  expect(bench.log.lines.at(-1)).toMatch(/^warn the notices of the last commit cannot be read/);
});

test('a commit whose journal is gone is one, although the folder cannot be synced any more', async () => {
  const { device, words } = await withEditedFile();
  const { bench } = device;
  let left = 1;
  watchSteps((name, moment) => {
    if (name !== 'journal.remove' || moment !== 'before' || left-- > 0) return;
    throw Object.assign(new Error('EIO'), { code: 'EIO', errno: -1, syscall: 'fsync' });
  });
  try {
    expect((await bench.effects.commitRelease()).notices).toEqual([words]);
  } finally {
    watchSteps(null);
  }
  expect(bench.log.lines.join('\n')).toContain('could not be synced after the commit');
  expect((await bench.lists())['-> current']).toBe('000002-1.1.0');
});
