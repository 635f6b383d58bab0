import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { pruneStore } from '../../services/deployment/prune-store.js';
import { ApiDevice } from '../support/api-device.js';
import { CAUSE, type DeploymentBench } from '../support/deployment-bench.js';
import { cutAt } from '../support/cut.js';
import { sha256 } from '../support/file-tree.js';

let device: ApiDevice;
let bench: DeploymentBench;

beforeEach(async () => {
  device = await ApiDevice.make();
  bench = device.bench;
  bench.parts.keep = 10;
  for (const version of ['1.0.0', '1.1.0', '1.2.0', '1.3.0']) await device.install(version);
});

const prune = (keep: number) => pruneStore(bench.store, { keep }, bench.log);
const ids = () => bench.store.releaseIds();
const IDS = ['as-found', '000001-1.0.0', '000002-1.1.0', '000003-1.2.0', '000004-1.3.0'];

describe('pruning', () => {
  test('leaves current, previous, factory and as many of the newest others as are to be kept [D-36]', async () => {
    for (const [keep, expected] of [
      [10, IDS],
      [2, IDS],
      [1, ['as-found', '000002-1.1.0', '000003-1.2.0', '000004-1.3.0']],
      [0, ['as-found', '000003-1.2.0', '000004-1.3.0']],
    ] as const) {
      await prune(keep);
      expect(await ids()).toEqual(expected);
      expect(await bench.faults()).toEqual([]);
    }
  });

  test.each(['current', 'previous', 'factory'])('touches nothing where %s is damaged', async (pointer) => {
    const before = [await ids(), await bench.store.objectNames()];
    await writeFile(join(bench.store.root, pointer), '000004-1.3');
    await expect(prune(0)).rejects.toThrow(`${pointer} is damaged: the id of a release was expected`);
    expect([await ids(), await bench.store.objectNames()]).toEqual(before);
  });

  test('drops the contents that no list needs any more, and no other [D-9]', async () => {
    await prune(0);
    expect((await bench.store.objectNames()).sort()).toEqual(
      [sha256('api as found'), sha256('api 1.2.0')].sort(),
    );
  });

  test('never leaves a gap, wherever it is cut [D-37]', async () => {
    for (let n = 0; ; n++) {
      const { wasCut } = await cutAt(n, () => prune(0));
      expect((await bench.faults()).filter((fault) => fault.startsWith('gap'))).toEqual([]);
      if (!wasCut) break;
    }
    expect(await ids()).toEqual(['as-found', '000003-1.2.0', '000004-1.3.0']);
    expect(await bench.faults()).toEqual([]);
  });

  test('keeps every content of the factory release, also those that are live [D-34]', async () => {
    await bench.deploy('as-found');
    await prune(0);
    expect(await bench.store.objectNames()).toContain(sha256('api as found'));
    expect(await bench.faults()).toEqual([]);
  });

  test('drops no content while a list cannot be read [M-38]', async () => {
    const objects = await bench.store.objectNames();
    await writeFile(`${bench.store.root}/releases/000003-1.2.0.json`, '{');
    await prune(0);
    expect(await bench.store.objectNames()).toEqual(objects);
  });

  test('keeps what a journal needs that is not over: the release that was reinstalled [M-38]', async () => {
    await device.switchTo('1.3.0');
    await cutAt(0, () => bench.effects.commitRelease(), 'journal.remove');
    expect((await bench.lists())['-> current']).toBe('000005-1.3.0');
    await prune(0);
    expect(await ids()).toContain('000004-1.3.0');
    await bench.effects.goBack({ cause: CAUSE }, bench.signal);
    await bench.close();
    expect((await bench.lists())['-> current']).toBe('000004-1.3.0');
    expect(await bench.faults()).toEqual([]);
  });
});

describe('a path that a package brings for the first time', () => {
  test('is recorded in every kept list, for factory with its content, also where it is what the package brings [D-10]', async () => {
    const late = device.at('late');
    const same = device.at('same');
    await bench.put(late, 'late, as found');
    await bench.put(same, 'the same');
    await device.install('1.4.0', { [late]: 'late 1.4.0', [same]: 'the same' });
    for (const id of await ids()) {
      const { files } = await bench.store.release(id);
      expect(files[same]?.sha256).toBe(sha256('the same'));
      expect(files[late]?.sha256).toBe(sha256(id.endsWith('1.4.0') ? 'late 1.4.0' : 'late, as found'));
    }
    expect(await bench.store.objectNames()).toEqual(
      expect.arrayContaining([sha256('late, as found'), sha256('the same')]),
    );
    expect(await bench.faults()).toEqual([]);
  });

  test('is recorded as absent where nothing was, and is gone again after going back [D-7]', async () => {
    const before = await bench.tree();
    await device.install('1.4.0', { [device.at('deep/er/file')]: 'new' });
    expect((await bench.store.release('000003-1.2.0')).files[device.at('deep/er/file')]).toBeNull();
    await bench.deploy('000004-1.3.0');
    expect(await bench.tree()).toEqual(before);
  });

  test('is recorded in a reinstall of the live version too [D-10]', async () => {
    const late = device.at('late');
    await bench.put(late, 'late');
    await device.install('1.3.0', { [late]: 'late' });
    for (const id of await ids())
      expect((await bench.store.release(id)).files[late]?.sha256).toBe(sha256('late'));
    expect(await bench.faults()).toEqual([]);
  });
});

describe('a reinstall of the live version', () => {
  test('puts back what was changed or is missing, and leaves previous [D-21, D-76]', async () => {
    const conf = device.at('conf');
    await device.install('1.4.0', { [conf]: 'speed=1' });
    const previous = await bench.store.pointer('previous');
    await writeFile(device.program, 'broken');
    await device.install('1.4.0', { [conf]: 'speed=1' });
    expect((await bench.tree())[device.program]).toContain(sha256('api 1.4.0'));
    expect((await bench.tree())[`${device.program}.local-1.4.0`]).toContain(sha256('broken'));
    expect(await bench.store.pointer('previous')).toBe(previous);
    expect(await bench.store.pointer('current')).toBe('000006-1.4.0');
    expect(await bench.faults()).toEqual([]);
  });
});
