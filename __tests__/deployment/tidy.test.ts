import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { Journal } from '../../services/deployment/journal.js';
import { tidy } from '../../services/tidy.js';
import { ApiDevice } from '../support/api-device.js';
import { CAUSE } from '../support/deployment-bench.js';
import { withFailingStep } from '../support/failing-step.js';

test('tidying up makes room before it writes: a full disk keeps neither journal, staging nor package', async () => {
  const device = await ApiDevice.make();
  const { bench } = device;
  await device.install('1.0.0');
  await device.switchTo('1.1.0');
  await bench.effects.goBack({ cause: CAUSE }, bench.signal);
  const tmpDir = join(bench.home, 'tmp');
  await mkdir(tmpDir);
  await writeFile(join(tmpDir, `${'a'.repeat(32)}-7.zip`), 'package');
  const tidied = () =>
    tidy(
      { kept: 'nothing', identity: null, bad: { version: '1.1.0', why: 'it crashed' } },
      { store: bench.store, keep: 1, tmpDir, log: bench.log },
    );
  await expect(withFailingStep({ names: ['store.bad'], code: 'ENOSPC' }, tidied)).rejects.toThrow('ENOSPC');
  expect(await Journal.read(bench.store.journalPath)).toBeNull();
  expect(await readdir(tmpDir)).toEqual([]);
  expect(await readdir(bench.store.root)).not.toContain('staging');
  await tidied();
  expect(await bench.store.badVersions()).toMatchObject({ '1.1.0': { why: 'it crashed' } });
});
