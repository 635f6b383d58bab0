import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { readVersions } from '../../services/deployment/versions.js';
import { DeploymentBench } from '../support/deployment-bench.js';
import { sha256 } from '../support/file-tree.js';
import { errorOf } from '../support/sample-package.js';

let bench: DeploymentBench;
const at = (name: string) => join(bench.root, name);

beforeEach(async () => {
  bench = await DeploymentBench.make();
});

describe('going to a kept release', () => {
  test.each([
    ['damaged', (path: string) => writeFile(path, 'bit rot'), /hashes to/],
    ['missing', (path: string) => rm(path), /is missing/],
  ])(
    'whose content is %s is refused with nothing touched, and told as bad [W-76, D-13]',
    async (_, harm, words) => {
      await bench.put(at('a'), 'as found');
      await bench.deploy(await bench.package('1.0.0', { [at('a')]: 'one' }));
      const before = await bench.tree();
      await harm(bench.store.objectPath(sha256('as found')));
      const error = await errorOf(bench.stage('as-found'));
      expect(error.code).toBe('DEPLOYMENT_FAILED');
      expect(error.message).toMatch(words);
      expect(await bench.tree()).toEqual(before);
      const { releases } = await readVersions(bench.store);
      expect(releases.find(({ id }) => id === 'as-found')?.bad?.why).toMatch(words);
    },
  );

  test('weeks later, again and again, gives the same bytes each time [D-14]', async () => {
    await bench.put(at('a'), 'zero');
    const trees = [await bench.tree()];
    for (const [n, version] of ['1.0.0', '1.1.0'].entries()) {
      await bench.deploy(await bench.package(version, { [at('a')]: `content ${n}`, [at(`only-${n}`)]: 'x' }));
      trees.push(await bench.tree());
    }
    for (const [n, id] of [
      [0, 'as-found'],
      [2, '000002-1.1.0'],
      [1, '000001-1.0.0'],
      [0, 'as-found'],
      [1, '000001-1.0.0'],
    ] as const) {
      await bench.deploy(id);
      expect(await bench.tree()).toEqual(trees[n]);
      expect(await bench.faults()).toEqual([]);
    }
  });
});
