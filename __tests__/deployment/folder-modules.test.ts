import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { CAUSE, DeploymentBench } from '../support/deployment-bench.js';

let bench: DeploymentBench;
const at = (name: string) => join(bench.root, name);
const goBack = () => bench.effects.goBack({ cause: CAUSE }, bench.signal);

beforeEach(async () => {
  bench = await DeploymentBench.make();
});

describe('a folder module', () => {
  const folder = (version: string, names: string[]) =>
    bench.package(
      version,
      { [at('app')]: { data: '', fields: { src: 'app/' } } },
      names.map((name) => ({ name: `app/${name}`, data: `${name} ${version}` })),
    );

  test('owns its folder: what it brought before and brings no more goes, and comes back on the way back [D-22]', async () => {
    await bench.put(at('app/mine'), 'mine');
    await bench.deploy(await folder('1.0.0', ['a', 'sub/b', 'sub/c']));
    const before = await bench.tree();
    await bench.deploy(await folder('1.1.0', ['a', 'new/d']));
    expect(Object.keys(await bench.tree()).filter((path) => path.startsWith(at('app')))).toEqual([
      at('app'),
      at('app/a'),
      at('app/mine'),
      at('app/new'),
      at('app/new/d'),
      at('app/sub'),
    ]);
    await bench.deploy('000001-1.0.0');
    expect(await bench.tree()).toEqual(before);
    await bench.deploy('as-found');
    expect(Object.keys(await bench.tree())).toEqual([at('app'), at('app/mine')]);
    expect(await bench.faults()).toEqual([]);
  });

  test('makes its folders 0755; they go on the way back only where nobody put anything into them [D-23]', async () => {
    await bench.deploy(await folder('1.0.0', ['one/two/file']));
    expect((await stat(at('app/one/two'))).mode & 0o7777).toBe(0o755);
    await bench.put(at('app/one/mine'), 'mine');
    await bench.deploy('as-found');
    expect(Object.keys(await bench.tree())).toEqual([at('app'), at('app/one'), at('app/one/mine')]);
  });

  test('whose folder was removed by hand gets none back when a rollback is undone [D-23]', async () => {
    await bench.deploy(await folder('1.0.0', ['one/file']));
    await rm(at('app'), { recursive: true });
    await bench.stop('as-found');
    await bench.effects.switchFiles();
    await goBack();
    expect(await bench.tree()).toEqual({});
  });
});
