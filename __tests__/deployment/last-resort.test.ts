import { mkdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { API, ApiDevice } from '../support/api-device.js';
import { CAUSE } from '../support/deployment-bench.js';
import { cutAt } from '../support/cut.js';
import { withFailingStep } from '../support/failing-step.js';
import { ROOT, testIf } from '../support/requirements.js';
import { errorOf } from '../support/sample-package.js';
import { fillDisk, smallDisk } from '../support/small-disk.js';
import { treeOf } from '../support/file-tree.js';
import { readVersions } from '../../services/deployment/versions.js';

/** A device whose new version, 1.2.0, and the one before, 1.1.0, do not start: undone, and about to go to factory. */
async function stuck(): Promise<ApiDevice> {
  const device = await ApiDevice.make();
  await device.install('1.0.0', { [device.at('conf')]: 'speed=1' });
  await device.install('1.1.0');
  await undone(device);
  return device;
}

async function undone(device: ApiDevice): Promise<void> {
  const { bench } = device;
  await device.switchTo('1.2.0');
  bench.services.crashing.add(API);
  const error = await errorOf(bench.effects.goBack({ cause: CAUSE }, bench.signal));
  expect(error.code).toBe('SERVICE_START_FAILED');
  bench.services.crashing.clear();
}

const withoutStaging = (tree: Record<string, string>) =>
  Object.entries(tree).filter(([path]) => !path.includes('/staging'));

const toFactory = ({ bench }: ApiDevice) => bench.effects.goToFactory({ cause: CAUSE }, bench.signal);

describe('the last resort', () => {
  test('is the factory release, with its services running and the first cause in its journal [D-82]', async () => {
    const device = await stuck();
    const { bench } = device;
    expect((await toFactory(device)).outcome).toBe('rolled back to factory 0.0.0');
    expect(await readFile(device.program, 'utf8')).toBe('api as found');
    expect(await bench.tree()).not.toHaveProperty([device.at('conf')]);
    expect(bench.services.units.get(API)?.active).toBe('active');
    const { head, body } = await bench.journal();
    expect(head).toMatchObject({ phase: 'switched', cause: { code: CAUSE.code, message: CAUSE.message } });
    expect(body.purpose).toBe('factory');
    await bench.close();
    const { current, previous, factory } = await readVersions(bench.store);
    expect([current?.version, previous?.version, factory?.version]).toEqual(['0.0.0', '1.1.0', '0.0.0']);
    expect(await bench.faults()).toEqual([]);
  });

  test('may be cut anywhere and is finished when it is called again [M-49, D-83]', async () => {
    const device = await stuck();
    const { bench } = device;
    let cuts = 0;
    for (let n = 0; ; n += 3) {
      const { wasCut } = await cutAt(n, () => toFactory(device));
      await toFactory(device);
      await bench.close();
      expect(await readFile(device.program, 'utf8')).toBe('api as found');
      expect((await bench.lists())['-> current']).toBe('as-found');
      expect(await bench.faults()).toEqual([]);
      if (!wasCut) break;
      cuts++;
      await device.install('1.1.0', { [device.at('conf')]: 'speed=1' });
      await undone(device);
    }
    expect(cuts).toBeGreaterThan(10);
  });

  test('puts every listed file back that is not what it was, and keeps the edited ones beside [D-20]', async () => {
    const device = await ApiDevice.make();
    const { bench } = device;
    await bench.put(device.at('conf'), 'speed=0');
    await device.install('1.0.0', { [device.at('conf')]: 'speed=0' });
    await device.install('1.1.0');
    await writeFile(device.at('conf'), 'speed=99');
    await undone(device);
    expect((await toFactory(device)).notices).toEqual([
      `${device.at('conf')} was edited on this device: kept as ${device.at('conf.local-1.1.0')}`,
    ]);
    await bench.close();
    expect(await readFile(device.at('conf'), 'utf8')).toBe('speed=0');
    expect(await readFile(device.at('conf.local-1.1.0'), 'utf8')).toBe('speed=99');
    expect(await bench.faults()).toEqual([]);
  });

  test('moves beside what stands in its way [D-25]', async () => {
    const device = await stuck();
    await rm(device.program);
    await mkdir(device.program);
    await writeFile(join(device.program, 'inside'), 'somebody needs this');
    await toFactory(device);
    expect(await readFile(device.program, 'utf8')).toBe('api as found');
    expect(await readFile(join(`${device.program}.local-1.1.0`, 'inside'), 'utf8')).toBe(
      'somebody needs this',
    );
  });

  test('is refused, with nothing touched, where a folder of it leads elsewhere by now', async () => {
    const device = await stuck();
    const { bench } = device;
    const elsewhere = join(bench.home, 'elsewhere');
    await rename(device.at('api'), elsewhere);
    await symlink(elsewhere, device.at('api'));
    const before = await treeOf([bench.home], []);
    const error = await errorOf(toFactory(device));
    expect(error.line).toBe(
      `DEPLOYMENT_FAILED: ${device.program} led to ${device.program} before and leads to ${elsewhere}/api now`,
    );
    expect((await bench.journal()).head.phase).toBe('undone');
    expect(withoutStaging(await treeOf([bench.home], []))).toEqual(withoutStaging(before));
    await rm(device.at('api'));
    await rename(elsewhere, device.at('api'));
    expect((await toFactory(device)).outcome).toBe('rolled back to factory 0.0.0');
  });

  test('switches nothing where a folder comes to lead elsewhere while the services are being stopped [D-28]', async () => {
    const device = await stuck();
    const { bench } = device;
    const elsewhere = join(bench.home, 'elsewhere');
    bench.services.units.set(API, { active: 'active' });
    bench.services.onStop = async () => {
      await rename(device.at('api'), elsewhere);
      await symlink(elsewhere, device.at('api'));
    };
    expect((await errorOf(toFactory(device))).message).toContain(
      `leads to ${elsewhere}/api, outside its root`,
    );
    expect(await readFile(join(elsewhere, 'api'), 'utf8')).toBe('api 1.1.0');
  });

  test('starts the services even where the disk is too full to record it, and records it later', async () => {
    const device = await stuck();
    const { bench } = device;
    await withFailingStep({ names: ['commit.release'], code: 'ENOSPC' }, () => toFactory(device));
    expect(bench.services.units.get(API)?.active).toBe('active');
    await bench.close();
    expect((await bench.journal()).body.purpose).toBe('factory');
    await toFactory(device);
    await bench.close();
    expect((await bench.lists())['-> current']).toBe('as-found');
    expect(await bench.faults()).toEqual([]);
  });

  test('that is recorded and not tidied away yet does not stand in the way of the next update', async () => {
    const device = await stuck();
    await toFactory(device);
    await device.install('1.2.0');
    expect((await device.bench.lists())['-> current']).toBe('000003-1.2.0');
    expect(await device.bench.faults()).toEqual([]);
  });

  test('is refused where there is none, and where it is what was live', async () => {
    const device = await ApiDevice.make();
    await undone(device);
    expect((await errorOf(toFactory(device))).line).toBe(
      'ROLLBACK_FAILED: there is no factory release to fall back to',
    );
    await device.bench.close();
    await device.install('1.0.0');
    await device.bench.deploy('as-found');
    await undone(device);
    expect((await errorOf(toFactory(device))).line).toBe(
      'ROLLBACK_FAILED: what was live is the factory release itself',
    );
  });

  test('is refused while the files are not undone', async () => {
    const device = await ApiDevice.make();
    await device.install('1.0.0');
    await device.switchTo('1.1.0');
    expect((await errorOf(toFactory(device))).line).toBe(
      'ROLLBACK_FAILED: the files could not be undone (the journal is switched)',
    );
  });

  testIf(
    ROOT,
    'links its contents where there is no room to copy them, and copies them when there is [D-35]',
    async () => {
      const disk = await smallDisk('8m');
      const device = await ApiDevice.make({ managed: disk }, 'x'.repeat(2_000_000));
      const { bench } = device;
      await device.install('1.0.0');
      await undone(device);
      const ballast = await fillDisk(disk, 1_000_000);
      await toFactory(device);
      await bench.close();
      expect((await readFile(device.program)).length).toBe(2_000_000);
      expect(bench.log.lines.join('\n')).toContain('they are linked');
      expect((await stat(device.program)).nlink).toBe(2);
      await rm(ballast);
      await bench.close();
      expect((await stat(device.program)).nlink).toBe(1);
      expect(await bench.faults()).toEqual([]);
    },
  );
});
