import { dirname } from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { watchSteps } from '../../services/steps.js';
import { ApiDevice } from '../support/api-device.js';
import { CAUSE, type DeploymentBench } from '../support/deployment-bench.js';
import { pathsSyncedBy } from '../support/synced-paths.js';

let device: ApiDevice;
let bench: DeploymentBench;

beforeEach(async () => {
  device = await ApiDevice.make();
  bench = device.bench;
  await device.install('1.0.0');
});

/** The steps that end while work is done, and what is synced meanwhile. */
async function seenDuring(work: () => Promise<unknown>) {
  const steps: string[] = [];
  watchSteps((name, moment) => {
    if (moment === 'after') steps.push(name);
  });
  const synced = await pathsSyncedBy(work).finally(() => watchSteps(null));
  return { steps, synced };
}

describe('what a power cut must not take away', () => {
  test('is synced before a switch begins: the held file, the staged one’s name, and both folders [D-58]', async () => {
    const update = await device.package('1.1.0');
    const { synced } = await seenDuring(() => bench.stop(update));
    const [operation] = (await bench.journal()).body.operations;
    const { newAt, oldAt } = operation ?? {};
    const all = [oldAt ?? '', dirname(oldAt ?? ''), dirname(newAt ?? ''), bench.store.staging];
    expect(synced).toEqual(expect.arrayContaining(all));
  });

  test('is marked before the first rename of a switch, and again behind the sync of every folder [D-59]', async () => {
    await bench.stop(await device.package('1.1.0'));
    const { steps, synced } = await seenDuring(() => bench.effects.switchFiles());
    expect(steps.filter((name, at) => name !== steps[at - 1])).toEqual([
      ...['journal.mark', 'switch.rename', 'switch.sync', 'journal.mark'],
    ]);
    expect([synced[0], synced.at(-1)]).toEqual([bench.store.journalPath, bench.store.journalPath]);
    expect(synced).toContain(dirname(device.program));
  });

  test('is synced folder by folder before an undo is told to be over [D-64]', async () => {
    await device.switchTo('1.1.0');
    const { steps, synced } = await seenDuring(() => bench.effects.goBack({ cause: CAUSE }, bench.signal));
    expect(steps.lastIndexOf('undo.sync')).toBeGreaterThan(steps.lastIndexOf('undo.rename'));
    expect(steps.lastIndexOf('undo.sync')).toBeLessThan(steps.lastIndexOf('journal.mark'));
    expect(synced).toContain(dirname(device.program));
  });
});
