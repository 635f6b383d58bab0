import { chmod, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { DeploymentBench } from '../support/deployment-bench.js';

test('the store is for root alone, and is so again at the next start where somebody has opened it [D-6]', async () => {
  const { store, log } = await DeploymentBench.make();
  const folders = [store.root, ...(await readdir(store.root)).map((name) => join(store.root, name))];
  const modes = () =>
    Promise.all(folders.map(async (path) => ((await stat(path)).mode & 0o7777).toString(8)));
  expect(await modes()).toEqual(folders.map(() => '700'));
  expect(log.lines).toEqual([]);
  await chmod(store.root, 0o755);
  await store.make();
  expect(await modes()).toEqual(folders.map(() => '700'));
  expect(log.lines).toEqual([expect.stringMatching(/^warn a folder of the store had another mode/)]);
});
