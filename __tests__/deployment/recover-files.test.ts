import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { recoverFiles } from '../../services/deployment/recover-files.js';
import type { StepName } from '../../services/steps.js';
import { API, ApiDevice } from '../support/api-device.js';
import { CAUSE } from '../support/deployment-bench.js';
import { cutAt } from '../support/cut.js';

type Purpose = 'update' | 'rollback' | 'factory';
type Phase = 'stopping' | 'switching' | 'switched' | 'undoing' | 'undone';

interface Cutting {
  device: ApiDevice;
  before: Record<string, string>;
  /** The tree that the deployment leads to. */
  wanted: Record<string, string>;
}

/** A device that runs 1.1.0, with a deployment of a purpose that was cut in a phase. */
async function cutIn(phase: Phase, purpose: Purpose): Promise<Cutting> {
  const device = await ApiDevice.make();
  const { bench } = device;
  const second = device.at('api/second');
  await device.install('1.0.0', { [second]: 'second 1.0.0' });
  const wantedOfRollback = await bench.tree();
  await device.install('1.1.0', { [second]: 'second 1.1.0' });
  const before = await bench.tree();
  const update = await device.package('1.2.0', { [second]: 'second 1.2.0' });
  const cut = (n: number, step: StepName, work: () => Promise<unknown>) => cutAt(n, work, step);
  const back = () => bench.effects.goBack({ cause: CAUSE }, bench.signal);
  if (purpose === 'factory') {
    await bench.stop(update);
    await bench.effects.switchFiles();
    await back();
    const forward = () => bench.effects.goToFactory({ cause: CAUSE }, bench.signal);
    if (phase === 'stopping') await cut(0, 'journal.mark', forward);
    else if (phase === 'switching') await cut(1, 'switch.sync', forward);
    else await cut(0, 'commit.object', forward);
    return { device, before, wanted: {} };
  }
  if (phase === 'stopping') {
    await bench.stop(purpose === 'update' ? update : '000001-1.0.0');
    return { device, before, wanted: {} };
  }
  await bench.stop(purpose === 'update' ? update : '000001-1.0.0');
  if (phase === 'switching') await cut(1, 'switch.rename', () => bench.effects.switchFiles());
  else await bench.effects.switchFiles();
  const wanted = purpose === 'update' ? await bench.tree() : wantedOfRollback;
  if (phase === 'undoing') await cut(1, 'undo.rename', back);
  if (phase === 'undone') await back();
  return { device, before, wanted };
}

let boots = 0;
/** As at a boot of its own, or once more in the same. */
const recover = ({ bench }: ApiDevice, boot = `boot ${++boots}`) =>
  recoverFiles(bench.store, boot, bench.log);
const headOf = async ({ bench }: ApiDevice) => (await bench.journal()).head;

describe('recovering files', () => {
  test('without a journal does nothing and says so', async () => {
    const device = await ApiDevice.make();
    expect(await recover(device)).toEqual({
      words: 'no deployment was cut: nothing to do',
      needsReload: false,
    });
  });

  for (const purpose of ['update', 'rollback'] as const) {
    const to = purpose === 'update' ? '1.2.0' : '1.0.0';
    const a = purpose === 'update' ? 'an update' : 'a rollback';

    test(`leaves ${a} that was cut while stopping alone [M-53]`, async () => {
      const { device, before } = await cutIn('stopping', purpose);
      const words = `${purpose} 1.1.0 -> ${to} was cut while stopping: no file was touched yet`;
      expect(await recover(device)).toEqual({ words, needsReload: false });
      expect(await headOf(device)).toMatchObject({ phase: 'stopping' });
      expect(await device.bench.tree()).toEqual(before);
    });

    test.each(['switching', 'undoing'] as const)(
      `undoes ${a} that was cut while %s [M-52, M-53]`,
      async (phase) => {
        const { device, before } = await cutIn(phase, purpose);
        expect(await device.bench.tree()).not.toEqual(before);
        const { words } = await recover(device);
        expect(words).toBe(`${purpose} 1.1.0 -> ${to} was cut while ${phase}: undone, the files are 1.1.0`);
        expect(await headOf(device)).toMatchObject({ phase: 'undone' });
        expect(await device.bench.tree()).toEqual(before);
        expect((await headOf(device)).cause?.code).toBe(
          phase === 'undoing' ? 'HEALTH_CHECK_FAILED' : 'DEPLOYMENT_FAILED',
        );
      },
    );

    test(`touches nothing of ${a} that is undone [M-53]`, async () => {
      const { device, before } = await cutIn('undone', purpose);
      const { words } = await recover(device);
      expect(words).toBe(`${purpose} 1.1.0 -> ${to} was cut while undone: the files are back already`);
      expect(await headOf(device)).toMatchObject({ phase: 'undone' });
      expect(await device.bench.tree()).toEqual(before);
    });

    test(`counts a boot of a switched ${purpose} once, however often it is run in it by hand [M-55]`, async () => {
      const { device, wanted } = await cutIn('switched', purpose);
      for (let run = 0; run < 5; run++) await recover(device, 'the same boot');
      expect(await headOf(device)).toMatchObject({ phase: 'switched', boots: 1 });
      expect(await device.bench.tree()).toEqual(wanted);
    });

    test(`leaves a switched ${purpose} for two boots and undoes it in the third [M-55]`, async () => {
      const { device, before, wanted } = await cutIn('switched', purpose);
      for (const boots of [1, 2]) {
        const { words } = await recover(device);
        expect(words).toBe(`${purpose} 1.1.0 -> ${to} was cut while switched: the files are ${to}`);
        expect(await headOf(device)).toMatchObject({ phase: 'switched', boots });
        expect(await device.bench.tree()).toEqual(wanted);
      }
      await recover(device);
      expect(await headOf(device)).toMatchObject({
        phase: 'undone',
        cause: {
          code: 'HEALTH_CHECK_FAILED',
          message: `boot 3 of ${to} without its services having settled`,
        },
      });
      expect(await device.bench.tree()).toEqual(before);
    });
  }

  test('leaves a last resort that was cut while stopping alone', async () => {
    const { device, before } = await cutIn('stopping', 'factory');
    await recover(device);
    expect(await headOf(device)).toMatchObject({ phase: 'stopping' });
    expect(await device.bench.tree()).toEqual(before);
  });

  test('finishes a last resort that was cut while switching, and never undoes it [M-33, D-83]', async () => {
    const { device } = await cutIn('switching', 'factory');
    const { words } = await recover(device);
    expect(words).toBe('factory 1.1.0 -> 0.0.0 was cut while switching: finished, the files are 0.0.0');
    for (let boot = 0; boot < 4; boot++) await recover(device);
    expect(await headOf(device)).toMatchObject({ phase: 'switched' });
    expect(Object.keys(await device.bench.tree())).toEqual([device.at('api'), device.program]);
  });

  test('can itself be cut, anywhere, and called again [M-58]', async () => {
    const { device, before } = await cutIn('undone', 'update');
    const { bench } = device;
    for (let n = 0; ; n++) {
      await bench.close();
      await device.switchTo('1.2.0', { [device.at('api/second')]: 'second 1.2.0' });
      await cutAt(0, () => bench.effects.goBack({ cause: CAUSE }, bench.signal), 'undo.rename');
      const { wasCut } = await cutAt(n, () => recover(device));
      await recover(device);
      expect(await bench.tree()).toEqual(before);
      expect(await headOf(device)).toMatchObject({ phase: 'undone' });
      if (!wasCut) break;
    }
  });

  test('touches nothing while a root is not mounted, or is missing [M-56]', async () => {
    const { device, before } = await cutIn('switching', 'update');
    const { bench } = device;
    const cut = await bench.tree();
    await rename(bench.extra, `${bench.extra}.away`);
    await expect(recover(device)).rejects.toThrow(
      `${bench.extra} is not the folder of the journal (inode none`,
    );
    await mkdir(bench.extra);
    await expect(recover(device)).rejects.toThrow(/inode \d+, \d+ expected\): is it mounted\?/);
    expect(await bench.tree()).toEqual(cut);
    expect(await headOf(device)).toMatchObject({ phase: 'switching' });
    await rm(bench.extra, { recursive: true });
    await rename(`${bench.extra}.away`, bench.extra);
    await recover(device);
    expect(await bench.tree()).toEqual(before);
  });

  test.each(['switching', 'switched', 'undoing'] as const)(
    'the service neither goes on nor back from %s while a root is not mounted, and keeps the journal',
    async (phase) => {
      const { device, before } = await cutIn(phase, 'update');
      const { bench } = device;
      const { switchFiles, startServices, commitRelease, goBack, goToFactory } = bench.effects;
      const back = () => goBack({ cause: CAUSE }, bench.signal);
      await rename(bench.extra, `${bench.extra}.away`);
      await mkdir(bench.extra);
      const cut = await bench.tree();
      for (const work of [switchFiles, () => startServices(bench.signal), commitRelease, back])
        await expect(work()).rejects.toThrow(/is it mounted\?/);
      await expect(goToFactory({ cause: CAUSE }, bench.signal)).rejects.toThrow(`the journal is ${phase}`);
      expect(await bench.tree()).toEqual(cut);
      expect(await headOf(device)).toMatchObject({ phase });
      await rm(bench.extra, { recursive: true });
      await rename(`${bench.extra}.away`, bench.extra);
      await back();
      expect(await bench.tree()).toEqual(before);
    },
  );

  test('asks for a reload where a unit file was touched, and only there [M-54]', async () => {
    const { device } = await cutIn('switching', 'update');
    expect((await recover(device)).needsReload).toBe(false);
    const other = await ApiDevice.make();
    await other.switchTo('1.0.0', { [join(other.bench.extra, API)]: '[Service]' });
    expect((await recover(other)).needsReload).toBe(true);
  });
});
