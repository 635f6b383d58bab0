import { renameSync, writeFileSync } from 'node:fs';
import { chmod, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { watchSteps } from '../../services/steps.js';
import { API, ApiDevice } from '../support/api-device.js';
import { CAUSE, type DeploymentBench } from '../support/deployment-bench.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { sha256 } from '../support/file-tree.js';

let device: ApiDevice;
let bench: DeploymentBench;
let conf: string;
const text = (path: string) => readFile(path, 'utf8');
const speed = (n: number) => ({ [conf]: `speed=${n}` });

beforeEach(async () => {
  device = await ApiDevice.make();
  bench = device.bench;
  conf = device.at('conf');
  await device.install('1.0.0', speed(1));
});

describe('a file that was edited on the device', () => {
  test('is kept beside when an update brings another content, and told [D-15]', async () => {
    await writeFile(conf, 'speed=7');
    const notices = await device.install('1.1.0', speed(2));
    expect(await text(conf)).toBe('speed=2');
    expect(await text(`${conf}.local-1.0.0`)).toBe('speed=7');
    expect(notices).toEqual([`${conf} was edited on this device: kept as ${conf}.local-1.0.0`]);
    expect(bench.log.lines.join('\n')).toContain(`kept as ${conf}.local-1.0.0`);
  });

  test('is left alone by an update that brings what it brought before [D-15]', async () => {
    await writeFile(conf, 'speed=7');
    await device.install('1.1.0', speed(1));
    expect(await text(conf)).toBe('speed=7');
    expect(await bench.tree()).not.toHaveProperty([`${conf}.local-1.0.0`]);
  });

  test('comes back with its content and mode when the device goes back [D-18]', async () => {
    await writeFile(conf, 'speed=7');
    await chmod(conf, 0o600);
    const before = await bench.tree();
    await device.install('1.1.0', speed(2));
    await bench.deploy('000001-1.0.0');
    const { [`${conf}.local-1.0.0`]: kept, ...after } = await bench.tree();
    expect(after).toEqual(before);
    expect(kept).toContain(sha256('speed=7'));
    expect(await bench.faults()).toEqual([]);
  });

  test('is kept beside again, as +2, where the name is taken by another content [D-16]', async () => {
    for (const mine of ['speed=7', 'speed=8']) {
      await writeFile(conf, mine);
      await device.install('1.1.0', speed(2));
      await bench.deploy('000001-1.0.0');
    }
    expect(await text(`${conf}.local-1.0.0`)).toBe('speed=7');
    expect(await text(`${conf}.local-1.0.0+2`)).toBe('speed=8');
  });

  test('is kept beside under a shorter name where its own leaves no room for more, each under one of its own', async () => {
    const long = ['a', 'b', 'c'].map((last) => device.at(`${'ü'.repeat(124)}${last}`));
    const all = (words: string) => Object.fromEntries(long.map((path) => [path, `${words} in all`]));
    await device.install('1.1.0', all('first'));
    for (const path of long) await writeFile(path, path.slice(-1));
    const notices = await device.install('1.2.0', all('second'));
    const cut = [
      `${'ü'.repeat(116)}.local-1.1.0`,
      `${'ü'.repeat(115)}.local-1.1.0+2`,
      `${'ü'.repeat(115)}.local-1.1.0+3`,
    ].map((name) => device.at(name));
    expect(notices).toEqual(
      long.map((path, n) => `${path} was edited on this device: kept as ${cut[n] ?? ''}`),
    );
    expect(await Promise.all(cut.map(text))).toEqual(['a', 'b', 'c']);
  });

  test('counts as kept where the same content is beside already [D-16]', async () => {
    await writeFile(conf, 'speed=7');
    for (let round = 0; round < 2; round++) {
      await device.install('1.1.0', speed(2));
      await bench.deploy('000001-1.0.0');
    }
    expect(Object.keys(await bench.tree()).filter((path) => path.includes('.local-'))).toEqual([
      `${conf}.local-1.0.0`,
    ]);
  });

  test('that already is what the update brings is not kept beside', async () => {
    await writeFile(conf, 'speed=2');
    expect(await device.install('1.1.0', speed(2))).toEqual([]);
    expect(await bench.tree()).not.toHaveProperty([`${conf}.local-1.0.0`]);
  });

  test('leaves nothing beside when the update fails', async () => {
    await writeFile(conf, 'speed=7');
    const before = await bench.tree();
    await device.switchTo('1.1.0', speed(2));
    await bench.effects.goBack({ cause: CAUSE }, bench.signal);
    await bench.close();
    expect(await bench.tree()).toEqual(before);
    expect(await device.install('1.1.0', speed(2))).toHaveLength(1);
  });

  test('that stands where the list says nothing is, is kept beside too', async () => {
    await bench.deploy('as-found');
    await bench.put(conf, 'my own');
    await bench.deploy('000001-1.0.0');
    expect(await text(conf)).toBe('speed=1');
    expect(await text(`${conf}.local-0.0.0`)).toBe('my own');
  });

  test('of the factory release makes a new list of what was left: its own is never changed [D-19]', async () => {
    await bench.deploy('as-found');
    const factory = await bench.store.release('as-found');
    await writeFile(device.program, 'api, patched');
    await device.install('1.1.0');
    expect(await bench.store.release('as-found')).toEqual(factory);
    const left = await bench.store.pointer('previous');
    expect(left).toMatch(/^\d{6}-0\.0\.0$/);
    await bench.deploy(left ?? '');
    expect(await text(device.program)).toBe('api, patched');
    await bench.deploy('as-found');
    expect(await text(device.program)).toBe('api as found');
    expect(await bench.faults()).toEqual([]);
  });

  test.each([
    ['its mode', () => chmod(device.program, 0o700)],
    ['that it is there', () => rm(device.program)],
  ])('in nothing but %s comes back so, and the factory list stays [D-12, D-19]', async (_, edit) => {
    await bench.deploy('as-found');
    const factory = await bench.store.release('as-found');
    await edit();
    const before = await bench.tree();
    await device.install('1.1.0');
    expect(await bench.store.release('as-found')).toEqual(factory);
    await bench.deploy((await bench.store.pointer('previous')) ?? '');
    expect(await bench.tree()).toEqual(before);
    expect(await bench.faults()).toEqual([]);
  });
});

describe('a file that is written between staging and the stop', () => {
  test.each([
    ['in place', (path: string) => writeFile(path, 'speed=3')],
    [
      'by rename',
      async (path: string) => {
        await writeFile(`${path}~`, 'speed=3');
        await rename(`${path}~`, path);
      },
    ],
  ])('%s is held again as it was left, and comes back so [D-57]', async (_, write) => {
    bench.services.onStop = () => write(conf);
    await device.switchTo('1.1.0', speed(2));
    const operation = (await bench.journal()).body.operations.find(({ path }) => path === conf);
    expect(operation?.old?.sha256).toBe(sha256('speed=3'));
    await bench.effects.goBack({ cause: CAUSE }, bench.signal);
    expect(await text(conf)).toBe('speed=3');
  });

  test('is treated as an edit [D-57]', async () => {
    bench.services.onStop = () => writeFile(conf, 'speed=3');
    expect(await device.install('1.1.0', speed(2))).toEqual([
      `${conf} was edited on this device: kept as ${conf}.local-1.0.0`,
    ]);
    await bench.deploy('000001-1.0.0');
    expect(await text(conf)).toBe('speed=3');
    expect(await bench.faults()).toEqual([]);
  });

  test('by rename in the middle of staging is never held as what it was before [D-43]', async () => {
    const update = await device.package('1.1.0', speed(2));
    watchSteps((name, moment) => {
      if (name !== 'staging.link' || moment !== 'after') return;
      writeFileSync(`${conf}~`, 'speed=3');
      renameSync(`${conf}~`, conf);
    });
    await bench.stage(update).finally(() => {
      watchSteps(null);
    });
    await bench.effects.stopServices(bench.signal);
    await bench.effects.switchFiles();
    await bench.effects.goBack({ cause: CAUSE }, bench.signal);
    expect(await text(conf)).toBe('speed=3');
  });

  test('that came into being in between comes back on the way back', async () => {
    const fresh = device.at('fresh');
    bench.services.onStop = () => bench.put(fresh, 'made by a service');
    await device.switchTo('1.1.0', { [fresh]: 'from the package' });
    await bench.effects.goBack({ cause: CAUSE }, bench.signal);
    expect(await text(fresh)).toBe('made by a service');
  });

  test('that came into being in between is held where it belongs, whatever the managed root is called', async () => {
    device = await ApiDevice.make({ managed: join(await temporaryFolder(), 'new', 'root') });
    bench = device.bench;
    const fresh = device.at('fresh');
    bench.services.onStop = () => bench.put(fresh, 'made by a service');
    await device.switchTo('1.1.0', { [fresh]: 'from the package' });
    await bench.effects.goBack({ cause: CAUSE }, bench.signal);
    expect(await text(fresh)).toBe('made by a service');
  });

  test('and deleted stays deleted on the way back [D-62]', async () => {
    bench.services.onStop = () => rm(conf);
    await device.switchTo('1.1.0', speed(2));
    expect(await text(conf)).toBe('speed=2');
    await bench.effects.goBack({ cause: CAUSE }, bench.signal);
    await bench.close();
    expect(await bench.tree()).not.toHaveProperty([conf]);
    expect(bench.services.asked).toContain(`stop ${API}`);
  });
});
