import { mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { describe, expect, test } from '@jest/globals';
import { recoverFiles } from '../../services/deployment/recover-files.js';
import { ApiDevice } from '../support/api-device.js';
import { CAUSE } from '../support/deployment-bench.js';
import { cutAt } from '../support/cut.js';
import { withFailingStep } from '../support/failing-step.js';

type At = (name: string) => string;

/** What the new version may have made of the folder and the files of a device that runs 1.0.0. */
const REARRANGED: [string, (at: At) => Promise<void>, string[]][] = [
  ['moved a folder away', (at) => rename(at('conf'), at('etc')), ['etc/s']],
  [
    'put a file in the place of a folder',
    async (at) => {
      await rm(at('conf'), { recursive: true });
      await writeFile(at('conf'), 'now in one file');
    },
    ['conf.local-1.1.0'],
  ],
  [
    'left a symlink that leads nowhere in the place of a folder',
    async (at) => {
      await rm(at('conf'), { recursive: true });
      await symlink(at('nowhere'), at('conf'));
    },
    ['conf.local-1.1.0'],
  ],
  [
    'made a folder of a file',
    async (at) => {
      await rm(at('conf/s'));
      await mkdir(at('conf/s'));
      await writeFile(at('conf/s/inside'), 'one file for each setting');
    },
    ['conf/s.local-1.1.0/inside'],
  ],
  [
    'made a folder of a file that it brought',
    async (at) => {
      await rm(at('made/new'));
      await mkdir(at('made/new'));
      await writeFile(at('made/new/inside'), 'written');
    },
    ['made/new.local-1.1.0/inside'],
  ],
  [
    'made a file of a folder that it brought',
    async (at) => {
      await rm(at('made'), { recursive: true });
      await writeFile(at('made'), 'now in one file');
    },
    ['made'],
  ],
];

describe('going back from a version that', () => {
  const second = (device: ApiDevice, version: string) => ({
    [device.at('zeroth')]: version,
    [device.at('conf/s')]: version,
  });

  async function rearranged(rearrange: (at: At) => Promise<void>) {
    const device = await ApiDevice.make();
    await device.install('1.0.0', second(device, '1.0.0'));
    const before = await device.bench.tree();
    await device.switchTo('1.1.0', { ...second(device, '1.1.0'), [device.at('made/new')]: '1.1.0' });
    await rearrange((name) => device.at(name));
    return { device, before };
  }

  test.each(REARRANGED)('%s brings every file back, and loses nothing', async (_, rearrange, kept) => {
    const { device, before } = await rearranged(rearrange);
    const { bench } = device;
    const { outcome } = await bench.effects.goBack({ cause: CAUSE }, bench.signal);
    expect(outcome).toBe('rolled back to 1.0.0');
    const after = await bench.tree();
    expect(after).toMatchObject(before);
    for (const name of kept) expect(after).toHaveProperty([device.at(name)]);
  });

  test('moved a folder away can be cut anywhere, and gone on with', async () => {
    const { device, before } = await rearranged((at) => rename(at('conf'), at('etc')));
    const { bench } = device;
    const back = () => bench.effects.goBack({ cause: CAUSE }, bench.signal);
    for (let n = 0; (await cutAt(n, back)).wasCut; n++) await recoverFiles(bench.store, 'boot', bench.log);
    expect(await bench.tree()).toMatchObject(before);
  });

  test('left one path that cannot be brought back brings the others back, and stays undoing until that one is', async () => {
    const { device, before } = await rearranged(() => Promise.resolve());
    const { bench } = device;
    const back = () => bench.effects.goBack({ cause: CAUSE }, bench.signal);
    const fault = { names: ['undo.rename'], code: 'EBUSY', times: 1 } as const;
    await expect(withFailingStep(fault, back)).rejects.toThrow('EBUSY');
    expect((await bench.journal()).head.phase).toBe('undoing');
    const differing = Object.entries(await bench.tree()).filter(([path, line]) => before[path] !== line);
    expect(differing).toHaveLength(1);
    expect(bench.log.lines.join('\n')).toContain('a path could not be brought back');
    await back();
    expect(await bench.tree()).toEqual(before);
  });
});

describe('an update whose new version', () => {
  const edited = async (rearrange: (device: ApiDevice) => Promise<void>) => {
    const device = await ApiDevice.make();
    const conf = device.at('conf/s');
    await device.install('1.0.0', { [conf]: 'speed=1' });
    await writeFile(conf, 'speed=7');
    await device.switchTo('1.1.0', { [conf]: 'speed=2' });
    await rearrange(device);
    const { notices } = await device.bench.effects.commitRelease();
    await device.bench.close();
    expect((await device.bench.lists())['-> current']).toBe('000002-1.1.0');
    expect(await device.bench.faults()).toEqual([]);
    return { device, conf, notices };
  };

  test('moved the folder of an edited file away is committed, and the edits are kept where they were', async () => {
    const { conf, notices } = await edited((device) => rename(device.at('conf'), device.at('etc')));
    expect(notices).toEqual([`${conf} was edited on this device: kept as ${conf}.local-1.0.0`]);
    expect(await readFile(`${conf}.local-1.0.0`, 'utf8')).toBe('speed=7');
  });

  test('made a file of the folder of an edited file is committed, says so, and can be gone back from', async () => {
    const { device, conf, notices } = await edited(async (device) => {
      await rm(device.at('conf'), { recursive: true });
      await writeFile(device.at('conf'), 'now in one file');
    });
    expect(notices).toEqual([
      `${conf} was edited on this device and could not be kept beside: its folder is none any more`,
    ]);
    await rm(device.at('conf'));
    await device.bench.deploy('000001-1.0.0');
    expect(await readFile(conf, 'utf8')).toBe('speed=7');
  });

  test('removed a file that factory has and no update has touched is committed, and it is told', async () => {
    const device = await ApiDevice.make();
    await device.bench.put(device.at('conf/s'), 'speed=1');
    await device.bench.stop(await device.package('1.0.0', { [device.at('conf/s')]: 'speed=1' }));
    await device.bench.effects.switchFiles();
    await rm(device.at('conf'), { recursive: true });
    await device.bench.effects.commitRelease();
    await device.bench.close();
    expect((await device.bench.lists())['-> current']).toBe('000001-1.0.0');
    expect(device.bench.log.lines.join('\n')).toContain('before its content could be kept for the factory');
  });
});
