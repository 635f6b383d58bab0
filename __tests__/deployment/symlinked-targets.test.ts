import { readFile, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { CAUSE, DeploymentBench } from '../support/deployment-bench.js';
import { errorOf } from '../support/sample-package.js';

let bench: DeploymentBench;
const at = (name: string) => join(bench.root, name);
const text = (path: string) => readFile(path, 'utf8');
const goBack = () => bench.effects.goBack({ cause: CAUSE }, bench.signal);

beforeEach(async () => {
  bench = await DeploymentBench.make();
});

describe('a target that is a symlink', () => {
  test('is updated through it: the layout of versions and a current link stays [D-26]', async () => {
    await bench.put(at('versions/v1.0.0/app'), 'one');
    await symlink('versions/v1.0.0', at('current'));
    await symlink('../current/app', at('versions/app'));
    const before = await bench.tree();
    await bench.deploy(await bench.package('1.1.0', { [at('current/app')]: 'two' }));
    expect(await text(at('versions/v1.0.0/app'))).toBe('two');
    expect(await text(at('versions/app'))).toBe('two');
    const links = (tree: Record<string, string>) =>
      Object.entries(tree).filter(([, entry]) => entry.startsWith('symlink'));
    expect(links(await bench.tree())).toEqual(links(before));
    expect(Object.keys((await bench.store.release('000001-1.1.0')).files)).toEqual([
      at('versions/v1.0.0/app'),
    ]);
    await bench.deploy('as-found');
    expect(await bench.tree()).toEqual(before);
  });

  test('and that leads elsewhere by the time of the switch is refused, and all is undone [D-28]', async () => {
    await bench.put(at('v1/app'), 'one');
    await bench.put(at('v2/app'), 'two');
    await symlink('v1', at('current'));
    await bench.stop(await bench.package('1.1.0', { [at('current/app')]: 'new' }));
    await rm(at('current'));
    await symlink('v2', at('current'));
    const before = await bench.tree();
    const error = await errorOf(bench.effects.switchFiles());
    expect(error.line).toBe(
      `DEPLOYMENT_FAILED: ${at('current/app')} led to ${at('v1/app')} before and leads to ${at('v2/app')} now`,
    );
    await goBack();
    await bench.close();
    expect(await bench.tree()).toEqual(before);
  });

  test('in place of a folder by the time of a rollback is refused before anything is stopped', async () => {
    await bench.deploy(await bench.package('1.0.0', { [at('app/x')]: 'x' }));
    await rm(at('app'), { recursive: true });
    await bench.put(at('elsewhere/x'), 'mine');
    await symlink('elsewhere', at('app'));
    const error = await errorOf(bench.stage('as-found'));
    expect(error.message).toContain(`${at('app/x')} led to ${at('app/x')} before`);
    expect(await text(at('elsewhere/x'))).toBe('mine');
  });
});
