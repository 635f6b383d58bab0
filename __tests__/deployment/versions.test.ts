import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { readVersions } from '../../services/deployment/versions.js';
import { DeploymentBench } from '../support/deployment-bench.js';

test('each release is told with id, version, time, bytes, and since when and why it is bad [W-76]', async () => {
  const bench = await DeploymentBench.make();
  const at = (name: string) => join(bench.root, name);
  const now = '2027-01-02T03:04:05.000Z';
  bench.parts.now = () => new Date(now);
  await bench.put(at('a'), 'found');
  const before = new Date().toISOString();
  await bench.deploy(await bench.package('1.0.0', { [at('a')]: 'one', [at('b')]: 'three' }));
  const why = { since: now, why: 'HEALTH_CHECK_FAILED: app exited 1' };
  for (const version of ['1.0.0', '1.1.0']) await bench.store.markVersion(version, why);
  const { releases, ...named } = await readVersions(bench.store);
  expect(releases).toEqual([
    { id: 'as-found', version: '0.0.0', installedAt: now, bytes: 5, bad: null },
    { id: '000001-1.0.0', version: '1.0.0', installedAt: expect.any(String), bytes: 8, bad: why },
    { id: null, version: '1.1.0', installedAt: null, bytes: null, bad: why },
  ]);
  const installedAt = releases[1]?.installedAt ?? '';
  expect([before, installedAt, new Date().toISOString()].toSorted()[1]).toBe(installedAt);
  expect(named).toMatchObject({ current: { version: '1.0.0' }, previous: { version: '0.0.0' } });
});
