import { rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, test } from '@jest/globals';
import { recordFactory } from '../../services/deployment/record-factory.js';
import { CAUSE, DeploymentBench } from '../support/deployment-bench.js';
import { cutAt } from '../support/cut.js';
import { errorOf } from '../support/sample-package.js';

let bench: DeploymentBench;
const at = (name: string) => join(bench.root, name);
const record = (version: string, ...paths: string[]) =>
  recordFactory(
    bench.store,
    { version, paths },
    {
      territory: bench.parts.territory,
      now: new Date(0),
      log: bench.log,
    },
  );

beforeEach(async () => {
  bench = await DeploymentBench.make();
  await bench.put(at('bin/a'), 'a of factory');
  await bench.put(at('bin/b'), 'b of factory');
});

test('what is on a device without releases becomes the factory release, and the live one [D-11]', async () => {
  const { id } = await record('1.4.0', at('bin'));
  expect(await bench.lists()).toMatchObject({ '-> factory': id, '-> current': id, '-> previous': null });
  expect(await bench.faults()).toEqual([]);
});

test('an update and a way back to it give every recorded file back, also one that no update had touched [D-20]', async () => {
  const { id } = await record('1.4.0', at('bin'));
  const tree = await bench.tree();
  await bench.deploy(await bench.package('2.0.0', { [at('bin/a')]: 'new', [at('bin/c')]: 'new' }));
  await rm(at('bin/b'));
  await bench.deploy(id);
  expect(await bench.tree()).toEqual(tree);
  expect(await bench.faults()).toEqual([]);
});

test('the whole managed root may be recorded: folders of ours and links are left out', async () => {
  await symlink('bin/a', at('link'));
  const { files } = await record('1.4.0', bench.root);
  expect(Object.keys(files)).toEqual([at('bin/a'), at('bin/b')]);
});

test('the same again changes nothing, and another version makes another release', async () => {
  const first = await record('1.4.0', at('bin'));
  expect(await record('1.4.0', at('bin'))).toEqual(first);
  expect(await record('1.5.0', at('bin'))).toMatchObject({ version: '1.5.0', id: '000002-1.5.0' });
});

test('after updates it holds what is live, and what is live stays what it was', async () => {
  await bench.deploy(await bench.package('2.0.0', { [at('bin/a')]: 'new' }));
  const before = await bench.store.pointer('current');
  const { files } = await record('3.0.0');
  expect(Object.keys(files)).toEqual([at('bin/a')]);
  expect(await bench.store.pointer('current')).toBe(before);
  expect(await bench.faults()).toEqual([]);
});

test('a path outside the roots, one that is not there, and an open update are refused', async () => {
  expect((await errorOf(record('1.0.0', '/etc/passwd'))).line).toMatch(/lies in none of the roots/);
  expect((await errorOf(record('1.0.0', at('nothing')))).line).toMatch(/is not there: nothing to record/);
  await bench.stop(await bench.package('2.0.0', { [at('bin/a')]: 'new' }));
  expect((await errorOf(record('1.0.0'))).line).toMatch(/an update is going on/);
  expect(await bench.store.pointer('factory')).toBeNull();
});

test.each([
  ['before', () => Promise.resolve()],
  ['in the middle of', () => cutAt(0, () => bench.effects.commitRelease(), 'commit.current')],
])('an update that fails %s its commit takes nothing from it', async (_, commit) => {
  await bench.deploy(await bench.package('2.0.0', { [at('bin/a')]: 'new' }));
  await record('2.0.0', at('bin'));
  const before = await bench.lists();
  await bench.stop(await bench.package('3.0.0', { [at('bin/a')]: 'newer', [at('bin/c')]: 'new' }));
  await bench.effects.switchFiles();
  await commit();
  await bench.effects.goBack({ cause: CAUSE }, bench.signal);
  await bench.close();
  expect(await bench.lists()).toEqual(before);
  expect(await bench.faults()).toEqual([]);
});
