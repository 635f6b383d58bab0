import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import type { PlannedUnit } from '../../services/deployment/journal.js';
import { CAUSE, DeploymentBench } from '../support/deployment-bench.js';
import { errorOf } from '../support/sample-package.js';

let bench: DeploymentBench;
const at = (name: string) => join(bench.root, name);
const UP = { active: 'active' } as const;

/** A module with a unit and an order. */
const of = (unit: string | null, order: number | null = null, data = 'new', fields = {}) => ({
  data,
  fields: { process_name: unit, ...(order === null ? {} : { restart_order: order }), ...fields },
});

async function planOf(files: Parameters<DeploymentBench['package']>[1]): Promise<PlannedUnit[]> {
  await bench.stop(await bench.package('1.1.0', files));
  return (await bench.journal()).body.plan;
}

const names = (plan: PlannedUnit[]) => plan.map(({ unit }) => unit.replace('.service', ''));

beforeEach(async () => {
  bench = await DeploymentBench.make();
  for (const unit of ['a', 'b', 'c', 'd']) {
    bench.services.units.set(`${unit}.service`, UP);
    await bench.put(at(unit), 'old');
  }
});

describe('the units of a deployment', () => {
  test('start in their order, those without one last, ties as the manifest tells; they stop in reverse [P-16, D-52, D-68]', async () => {
    const plan = await planOf({
      [at('a')]: of('a'),
      [at('b')]: of('b', 2),
      [at('c')]: of('c', 1),
      [at('d')]: of('d', 2),
    });
    expect(names(plan)).toEqual(['c', 'b', 'd', 'a']);
    expect(bench.services.asked).toEqual(['a', 'd', 'b', 'c'].map((unit) => `stop ${unit}.service`));
  });

  test('count the lowest order where two modules name one [P-15]', async () => {
    const plan = await planOf({
      [at('a')]: of('a', 5),
      [at('b')]: of('b', 3),
      [at('c')]: of('a', 1),
    });
    expect(plan.map(({ unit, order }) => [unit, order])).toEqual([
      ['a.service', 1],
      ['b.service', 3],
    ]);
  });

  test('are only those of paths that change [D-47]', async () => {
    await bench.deploy(await bench.package('1.0.0', { [at('a')]: of('a'), [at('b')]: of('b') }));
    bench.services.asked.length = 0;
    const plan = await planOf({ [at('a')]: of('a'), [at('b')]: of('b', null, 'newer') });
    expect(names(plan)).toEqual(['b']);
    expect(bench.services.asked).toEqual(['stop b.service']);
  });

  test('are also those of the list that is left, where the package names none for the path [D-47]', async () => {
    await bench.deploy(await bench.package('1.0.0', { [at('a')]: of('a') }));
    const [planned] = await planOf({ [at('a')]: of(null, null, 'newer') });
    expect(planned).toMatchObject({ unit: 'a.service', startsInLeft: true });
  });

  test('are also those that use a file that changes; other programs are left running, with a warning [D-48, D-51]', async () => {
    bench.services.users = { units: ['d.service'], others: [{ pid: 7, name: 'vi', path: at('a') }] };
    const plan = await planOf({ [at('a')]: of('a') });
    expect(names(plan)).toEqual(['a', 'd']);
    expect(plan[1]).toMatchObject({ named: false, wasActive: true });
    expect(bench.log.lines.join('\n')).toContain(`left running pid=7 name=vi path=${at('a')}`);
  });

  test('take down what depends on them, and first of all what would start them again; sockets start first [D-50, D-68]', async () => {
    bench.services.units.set('a.socket', UP);
    bench.services.units.set('a.timer', UP);
    bench.services.units.set('idle.timer', { active: 'inactive' });
    bench.services.relatives.set('a.service', {
      dependents: ['c.service'],
      triggers: ['a.timer', 'a.socket', 'idle.timer'],
    });
    const plan = await planOf({ [at('a')]: of('a'), [at('b')]: of('b', 9) });
    expect(plan.map(({ unit }) => unit)).toEqual([
      ...['b.service', 'a.service', 'c.service', 'a.timer', 'a.socket'],
    ]);
    expect(bench.services.asked.slice(0, 2)).toEqual(['stop a.socket', 'stop a.timer']);
    await bench.effects.switchFiles();
    await bench.effects.startServices(bench.signal);
    expect(bench.services.asked.slice(5)).toEqual(
      ['a.socket', 'b.service', 'a.service', 'c.service', 'a.timer'].map((unit) => `start ${unit}`),
    );
  });

  test('that come up while others are being stopped are stopped too, before any trigger is started again [D-56]', async () => {
    bench.services.units.set('a.socket', UP);
    bench.services.relatives.set('a.service', { triggers: ['a.socket'] });
    bench.services.onStop = () => {
      bench.services.users = { units: ['d.service'], others: [] };
      return Promise.resolve();
    };
    const plan = await planOf({ [at('a')]: of('a') });
    expect(plan.map(({ unit }) => unit)).toEqual(['a.service', 'd.service', 'a.socket']);
    expect(bench.services.asked).toEqual(['stop a.socket', 'stop a.service', 'stop d.service']);
  });

  test('that are on their way down, or have left processes, are waited for and killed', async () => {
    bench.services.units.set('a.service', { active: 'deactivating' });
    bench.services.units.set('b.service', { active: 'inactive', leftOvers: true });
    await planOf({ [at('a')]: of('a'), [at('b')]: of('b') });
    expect(bench.services.asked).toEqual(['kill b.service', 'stop a.service']);
  });

  test('that nobody knows are refused before the first stop [D-89]', async () => {
    const error = await errorOf(planOf({ [at('a')]: of('a'), [at('b')]: of('ghost') }));
    expect(error.line).toBe(
      'SERVICE_STOP_FAILED: units that cannot be stopped and started: ghost.service: there is no such unit',
    );
    expect(bench.services.asked).toEqual([]);
  });

  test('whose file the package brings are only started, and after an undo only stopped [D-65, D-90]', async () => {
    const [planned] = await planOf({
      [at('new')]: of('new'),
      [join(bench.extra, 'new.service')]: '[Service]',
    });
    expect(planned).toMatchObject({ unit: 'new.service', startsInWanted: true, startsInLeft: false });
    expect((await bench.journal()).body.unitFilesChange).toBe(true);
    await bench.effects.switchFiles();
    bench.services.units.set('new.service', { active: 'inactive' });
    await bench.effects.startServices(bench.signal);
    await bench.effects.goBack({ cause: CAUSE }, bench.signal);
    expect(bench.services.asked).toEqual(['reload', 'start new.service', 'stop new.service', 'reload']);
  });

  test('whose program goes are stopped and not started, and started again after an undo [D-71]', async () => {
    await bench.deploy(await bench.package('1.0.0', { [at('a')]: of('a'), [at('b')]: of('b') }));
    bench.services.asked.length = 0;
    const plan = await planOf({ [at('b')]: of('b', null, 'newer', { remove: [at('a')] }) });
    expect(plan.find(({ unit }) => unit === 'a.service')).toMatchObject({
      startsInWanted: false,
      startsInLeft: true,
    });
    await bench.effects.switchFiles();
    await bench.effects.startServices(bench.signal);
    expect(bench.services.asked.at(-1)).toBe('start b.service');
    expect(bench.services.asked).not.toContain('start a.service');
    await bench.effects.goBack({ cause: CAUSE }, bench.signal);
    expect(bench.services.asked).toContain('start a.service');
  });

  test('that were not running are started by an update that names them, and left alone by a way back', async () => {
    bench.services.units.set('a.service', { active: 'inactive' });
    await planOf({ [at('a')]: of('a') });
    await bench.effects.switchFiles();
    await bench.effects.startServices(bench.signal);
    expect(bench.services.asked).toEqual(['start a.service']);
    await bench.effects.goBack({ cause: CAUSE }, bench.signal);
    expect(bench.services.asked).toEqual(['start a.service', 'stop a.service']);
  });
});

describe('a stop that was cut [M-46]', () => {
  test('goes on with the plan of its journal: what was running before is known [D-46]', async () => {
    const update = await bench.package('1.1.0', { [at('a')]: of('a', 1), [at('b')]: of('b', 2) });
    await bench.stage(update);
    let stops = 0;
    bench.services.onStop = () => (++stops === 2 ? Promise.reject(new Error('killed')) : Promise.resolve());
    await expect(bench.effects.stopServices(bench.signal)).rejects.toThrow('killed');
    await bench.effects.stopServices(bench.signal);
    const { plan } = (await bench.journal()).body;
    expect(plan.map(({ unit, wasActive }) => [unit, wasActive])).toEqual([
      ['a.service', true],
      ['b.service', true],
    ]);
  });

  test('asks the install guard again, and stops nothing while that says busy [M-46, D-94, D-96]', async () => {
    const update = await bench.package('1.1.0', { [at('a')]: of('a'), [at('b')]: of('b') });
    await bench.stage(update);
    bench.services.onStop = () => Promise.reject(new Error('killed'));
    await expect(bench.effects.stopServices(bench.signal)).rejects.toThrow('killed');
    bench.services.asked.length = 0;
    bench.parts.askGuard = () => Promise.resolve('printing a boat');
    const error = await errorOf(bench.effects.stopServices(bench.signal));
    expect(error.line).toBe('DEVICE_BUSY: printing a boat');
    expect(bench.services.asked).toEqual([]);
    expect(await readFile(at('a'), 'utf8')).toBe('old');
  });

  test('is not taken up where the journal is past it', async () => {
    await planOf({ [at('a')]: of('a') });
    await bench.effects.switchFiles();
    const error = await errorOf(bench.effects.stopServices(bench.signal));
    expect(error.line).toBe(
      'DEPLOYMENT_FAILED: services cannot be stopped for 1.1.0: its journal is switched already',
    );
  });

  test('finds out where a power cut has lost a staged file, instead of taking it for switched', async () => {
    await bench.stage(await bench.package('1.1.0', { [at('a')]: of('a') }));
    await rm(join(bench.store.staging, 'new/0'));
    const error = await errorOf(bench.effects.stopServices(bench.signal));
    expect(error.message).toMatch(/the staged file .*\/new\/0 of .*\/a is gone/);
  });

  test('holds again what a power cut has lost of what was held', async () => {
    await bench.stage(await bench.package('1.1.0', { [at('a')]: of('a') }));
    await rm(join(bench.store.staging, 'old/0'));
    await bench.effects.stopServices(bench.signal);
    await bench.effects.switchFiles();
    await bench.effects.goBack({ cause: CAUSE }, bench.signal);
    expect(await readFile(at('a'), 'utf8')).toBe('old');
  });
});
