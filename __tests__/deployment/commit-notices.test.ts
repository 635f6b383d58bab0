import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { keptNotices } from '../../services/deployment/commit-notices.js';
import { Journal } from '../../services/deployment/journal.js';
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
