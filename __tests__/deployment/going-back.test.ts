import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { leaveServicesStarted } from '../../services/deployment/leave-services-started.js';
import { recoverFiles } from '../../services/deployment/recover-files.js';
import { API, ApiDevice } from '../support/api-device.js';
import { CAUSE } from '../support/deployment-bench.js';
import { cutAt } from '../support/cut.js';
import { withFailingStep } from '../support/failing-step.js';
import { errorOf } from '../support/sample-package.js';

describe('going back', () => {
  test('from a version that does not run starts the one before, and leaves its pointers as they were [D-79, D-80]', async () => {
    const device = await ApiDevice.make();
    const { bench } = device;
    await device.install('1.0.0');
    await device.install('1.1.0');
    const before = { tree: await bench.tree(), lists: await bench.lists() };
    await device.switchTo('1.2.0');
    bench.services.crashing.add(API);
    expect((await errorOf(bench.effects.startServices(bench.signal))).code).toBe('SERVICE_START_FAILED');
    bench.services.crashing.clear();
    bench.services.asked.length = 0;
    const { outcome } = await bench.effects.goBack({ cause: CAUSE }, bench.signal);
    expect(outcome).toBe('rolled back to 1.1.0');
    expect(bench.services.asked).toEqual([`start ${API}`]);
    expect((await bench.journal()).head).toMatchObject({ phase: 'undone', cause: { code: CAUSE.code } });
    await bench.close();
    expect({ tree: await bench.tree(), lists: await bench.lists() }).toEqual(before);
    expect(await bench.faults()).toEqual([]);
  });

  test('from the first update ever brings back what was found [D-80]', async () => {
    const device = await ApiDevice.make();
    const before = await device.bench.tree();
    await device.switchTo('1.0.0');
    const { outcome } = await device.bench.effects.goBack({ cause: CAUSE }, device.bench.signal);
    expect(outcome).toBe('rolled back to what was found');
    await device.bench.close();
    expect(await device.bench.tree()).toEqual(before);
    expect(await device.bench.lists()).toEqual({
      '-> current': null,
      '-> previous': null,
      '-> factory': null,
    });
  });

  test('throws where the version before does not start either, with the files back', async () => {
    const device = await ApiDevice.make();
    const { bench } = device;
    await device.install('1.0.0');
    const before = await bench.tree();
    await device.switchTo('1.1.0');
    bench.services.crashing.add(API);
    const error = await errorOf(bench.effects.goBack({ cause: CAUSE }, bench.signal));
    expect(error.code).toBe('SERVICE_START_FAILED');
    expect(await bench.tree()).toEqual(before);
    expect((await bench.journal()).head.phase).toBe('undone');
  });

  test('before anything was switched touches no file: what a service wrote last stays [D-55]', async () => {
    const device = await ApiDevice.make();
    const { bench } = device;
    await device.install('1.0.0', { [device.at('conf')]: 'speed=1' });
    await bench.stage(await device.package('1.1.0', { [device.at('conf')]: 'speed=2' }));
    // It writes its settings as programs do, by rename, and then cannot be stopped.
    bench.services.onStop = async () => {
      await writeFile(device.at('conf.new'), 'speed=3');
      await rename(device.at('conf.new'), device.at('conf'));
      throw new Error('no');
    };
    await expect(bench.effects.stopServices(bench.signal)).rejects.toThrow('no');
    const { outcome } = await bench.effects.goBack({ cause: CAUSE }, bench.signal);
    expect(outcome).toBe('nothing was changed');
    await bench.close();
    expect(await readFile(device.at('conf'), 'utf8')).toBe('speed=3');
    expect(Object.keys(await bench.tree()).filter((path) => path.includes('.local-'))).toEqual([]);
    expect(bench.services.units.get(API)?.active).toBe('active');
    expect(await bench.faults()).toEqual([]);
  });

  test('before anything was switched says that nothing was changed, also when it was cut and is called again', async () => {
    const device = await ApiDevice.make();
    const { bench } = device;
    await bench.stop(await device.package('1.0.0'));
    bench.services.crashing.add(API);
    await errorOf(bench.effects.goBack({ cause: CAUSE }, bench.signal));
    expect((await bench.journal()).head.phase).toBe('undone');
    bench.services.crashing.clear();
    const { outcome, hasSwitched } = await bench.effects.goBack({ cause: CAUSE }, bench.signal);
    expect(outcome).toBe('nothing was changed');
    expect(hasSwitched).toBe(false);
    const { words } = await recoverFiles(bench.store, 'some boot', bench.log);
    expect(words).toBe('update as found -> 1.0.0 was cut while undone: no file was touched');
  });

  test('without a journal has nothing to do', async () => {
    const { bench } = await ApiDevice.make();
    const { outcome } = await bench.effects.goBack({ cause: CAUSE }, bench.signal);
    expect(outcome).toBe('nothing was changed');
  });

  test('keeps beside what the failed version wrote into a file, and says so [D-63]', async () => {
    const device = await ApiDevice.make();
    const { bench } = device;
    await device.install('1.0.0', { [device.at('conf')]: 'speed=1' });
    await device.switchTo('1.1.0', { [device.at('conf')]: 'speed=2', [device.at('new')]: 'new' });
    await writeFile(device.at('conf'), 'speed=2, calibrated');
    await writeFile(device.at('new'), 'written to');
    await bench.effects.goBack({ cause: CAUSE }, bench.signal);
    expect(await readFile(device.at('conf'), 'utf8')).toBe('speed=1');
    expect(await readFile(device.at('conf.local-1.1.0'), 'utf8')).toBe('speed=2, calibrated');
    expect(await readFile(device.at('new.local-1.1.0'), 'utf8')).toBe('written to');
    expect(await bench.tree()).not.toHaveProperty([device.at('new')]);
    expect(bench.log.lines.filter((line) => line.includes('was kept beside'))).toHaveLength(2);
  });

  test('does not wait for that: where nothing can be kept the old file comes back all the same [D-63]', async () => {
    const device = await ApiDevice.make();
    const { bench } = device;
    await device.install('1.0.0');
    await device.switchTo('1.1.0');
    await writeFile(device.program, 'self-modified');
    await withFailingStep({ names: ['undo.keepEdit'], code: 'EPERM' }, () =>
      bench.effects.goBack({ cause: CAUSE }, bench.signal),
    );
    expect(await readFile(device.program, 'utf8')).toBe('api 1.0.0');
    expect(bench.log.lines.join('\n')).toContain('could not be kept');
  });

  test('puts a damaged old file back all the same, with a warning [D-61]', async () => {
    const device = await ApiDevice.make();
    const { bench } = device;
    await device.install('1.0.0');
    await device.switchTo('1.1.0');
    const held = (await bench.journal()).body.operations[0]?.oldAt ?? '';
    await writeFile(held, 'api 1.0.?');
    await bench.effects.goBack({ cause: CAUSE }, bench.signal);
    expect(await readFile(device.program, 'utf8')).toBe('api 1.0.?');
    expect(bench.log.lines.join('\n')).toContain('damaged and put back all the same');
  });

  test('in phase undone touches no file any more [M-36]', async () => {
    const device = await ApiDevice.make();
    const { bench } = device;
    await device.install('1.0.0');
    await device.switchTo('1.1.0');
    await bench.effects.goBack({ cause: CAUSE }, bench.signal);
    await writeFile(device.program, 'written since');
    await bench.effects.goBack({ cause: CAUSE }, bench.signal);
    expect(await readFile(device.program, 'utf8')).toBe('written since');
  });

  test('from a commit that was cut needs no new room on the disk [M-22]', async () => {
    const device = await ApiDevice.make();
    const { bench } = device;
    await device.install('1.0.0');
    await device.install('1.1.0');
    const before = { tree: await bench.tree(), lists: await bench.lists() };
    await device.switchTo('1.2.0');
    // The commit is cut where the first pointer is set.
    await cutAt(0, () => bench.effects.commitRelease(), 'commit.previous');
    const names = ['commit.object', 'commit.localCopy', 'commit.release', 'journal.create'] as const;
    await withFailingStep({ names, code: 'ENOSPC' }, () =>
      bench.effects.goBack({ cause: CAUSE }, bench.signal),
    );
    await bench.close();
    expect(await bench.tree()).toEqual(before.tree);
    expect((await bench.lists())['-> current']).toBe(before.lists['-> current']);
  });
});

describe('an updater that ends while services are stopped', () => {
  test('undoes a switch that is not over and asks for a start of what it stopped [M-64]', async () => {
    const device = await ApiDevice.make();
    const { bench } = device;
    await device.install('1.0.0');
    const before = await bench.tree();
    await bench.stop(await device.package('1.1.0'));
    await cutAt(1, () => bench.effects.switchFiles(), 'journal.mark');
    expect((await bench.journal()).head.phase).toBe('switching');
    expect(await readFile(device.program, 'utf8')).toBe('api 1.1.0');
    bench.services.asked.length = 0;
    await leaveServicesStarted(bench.parts);
    expect(await bench.tree()).toEqual(before);
    expect((await bench.journal()).head.phase).toBe('undone');
    expect(bench.services.asked).toEqual([`start ${API}`]);
  });

  test('undoes no file under a service of the failed version that still runs: the next start goes back', async () => {
    const device = await ApiDevice.make();
    const { bench } = device;
    await device.install('1.0.0');
    const before = await bench.tree();
    await device.switchTo('1.1.0');
    bench.services.units.set(API, { active: 'active' });
    bench.services.onStop = () => Promise.reject(new Error('ended while the unit was stopping'));
    await expect(bench.effects.goBack({ cause: CAUSE }, bench.signal)).rejects.toThrow('ended while');
    bench.services.asked.length = 0;
    await leaveServicesStarted(bench.parts);
    expect((await bench.journal()).head.phase).toBe('undoing');
    expect(await readFile(device.program, 'utf8')).toBe('api 1.1.0');
    expect(bench.services.asked).toEqual([`start ${API}`]);
    bench.services.onStop = () => Promise.resolve();
    bench.services.asked.length = 0;
    const { outcome } = await bench.effects.goBack({ cause: CAUSE }, bench.signal);
    expect(outcome).toBe('rolled back to 1.0.0');
    expect(bench.services.asked).toEqual([`stop ${API}`, `start ${API}`]);
    expect(await bench.tree()).toEqual(before);
  });

  test('starts the new version where the switch is over [M-64]', async () => {
    const device = await ApiDevice.make();
    await device.switchTo('1.0.0');
    await leaveServicesStarted(device.bench.parts);
    expect((await device.bench.journal()).head.phase).toBe('switched');
    expect(await readFile(device.program, 'utf8')).toBe('api 1.0.0');
    expect(device.bench.services.asked).toContain(`start ${API}`);
  });

  test('has unit files that changed read anew before it asks for a start [M-65]', async () => {
    const device = await ApiDevice.make();
    await device.switchTo('1.0.0', { [join(device.bench.extra, API)]: '[Service]' });
    device.bench.services.asked.length = 0;
    await leaveServicesStarted(device.bench.parts);
    expect(device.bench.services.asked).toEqual(['reload', `start ${API}`]);
  });

  test('leaves everything alone where the whole system is going down [M-66]', async () => {
    const device = await ApiDevice.make();
    await device.bench.stop(await device.package('1.0.0'));
    device.bench.services.isGoingDown = true;
    await leaveServicesStarted(device.bench.parts);
    expect(device.bench.services.asked).toEqual([`stop ${API}`]);
  });
});
