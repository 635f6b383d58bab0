import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { StepName } from '../../services/steps.js';
import { buildPackage, type BuiltPackage } from '../support/build-package.js';
import { FILES, folderToPack, MODULES } from '../support/folder-to-pack.js';
import { ROOT, SYSTEMD_LAB, testIf } from '../support/requirements.js';
import { fillDisk, smallDisk } from '../support/small-disk.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { UpdaterProcess } from '../support/updater-process.js';
import { accepted } from '../support/updater-caller.js';
import { CrashDevice } from './crash-device.js';
import { LabUpdater } from './lab-updater.js';
import { Order } from './order.js';
import { RARE_STEPS } from './rare-steps.js';
import { treeOf, treeOfVersion } from './sound-device.js';

const opened: { close: () => Promise<void> }[] = [];
const tested = new Set<StepName>();

afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
});

async function newDevice(): Promise<CrashDevice> {
  const device = await CrashDevice.make();
  opened.push(device);
  return device;
}

/** The words of KILL_AT for the first time that a moment of a step is reached. */
function killAt(step: (typeof RARE_STEPS)[number], moment: string): { KILL_AT: string } {
  tested.add(step);
  return { KILL_AT: `${step} ${moment} 1` };
}

async function isKilled(updater: UpdaterProcess): Promise<void> {
  const { signal, stdout } = await updater.ended();
  expect({ signal, stdout }).toMatchObject({ signal: 'SIGKILL' });
}

/** Starts the updater, orders an update, and expects all its files. */
async function takesTheNextOrder(device: CrashDevice, environment: NodeJS.ProcessEnv = {}): Promise<void> {
  await device.serve(environment);
  const order = new Order(device, { update: '1.0.0' });
  await order.pursue();
  expect(order.finals[0]?.stage).toBe('success');
  const tree = await treeOf(device);
  for (const [path, { content }] of treeOfVersion('1.0.0')) expect(tree.get(path)?.content).toBe(content);
}

describe('a kill at [T-16]', () => {
  test.each(['before', 'written', 'renamed', 'after'])(
    'pack.write (%s) leaves no half package under its name',
    async (moment) => {
      const args = [await folderToPack({ modules: MODULES }), '--version', '1.1.0', '-o'];
      const out = join(await temporaryFolder(), 'p.zip');
      const pack = (more: NodeJS.ProcessEnv) =>
        new UpdaterProcess(
          { ...process.env, ...more },
          { file: '__tests__/support/killable-updater.js', args: ['pack', ...args, out] },
        );
      await isKilled(pack(killAt('pack.write', moment)));
      const isThere = readdirSync(join(out, '..')).includes('p.zip');
      expect(isThere).toBe(['renamed', 'after'].includes(moment));
      if (!isThere) expect((await pack({}).ended()).exitCode).toBe(0);
      expect(readFileSync(out).includes(Object.keys(FILES)[0] ?? '')).toBe(true);
    },
  );

  test.each(['before', 'after'])(
    'state.putAside (%s) loses no damaged state and keeps no updater from starting',
    async (moment) => {
      const device = await newDevice();
      const tmp = join(device.workDir, 'tmp');
      mkdirSync(tmp);
      for (const name of ['state.json', 'state.json.bak']) writeFileSync(join(tmp, name), `{ ${name}`);
      await isKilled(device.launch('serve', killAt('state.putAside', moment)));
      await takesTheNextOrder(device);
      const aside = readdirSync(tmp).filter((name) => name.startsWith('state.json.corrupt-'));
      const texts = aside.map((name) => readFileSync(join(tmp, name), 'utf8'));
      expect(texts.sort()).toEqual(['{ state.json', '{ state.json.bak']);
    },
  );

  test.each(['before', 'after'])(
    'log.tidy (%s) keeps no updater from starting, and the next start tidies on',
    async (moment) => {
      const device = await newDevice();
      const logs = join(device.workDir, 'logs');
      mkdirSync(logs);
      writeFileSync(join(logs, '.updater-rotation.json'), '');
      for (const n of [1, 2, 3, 4, 5]) writeFileSync(join(logs, `updater-part.${n}.log`), 'old\n');
      await isKilled(device.launch('serve', killAt('log.tidy', moment)));
      await takesTheNextOrder(device);
      expect(readdirSync(logs).filter((name) => name.startsWith('updater-part')).length).toBeLessThanOrEqual(
        4,
      );
    },
  );

  for (const moment of ['before', 'after']) {
    testIf(ROOT, `reserve.giveUp (${moment}) on a full disk is got over once there is room`, async () => {
      const device = await newDevice();
      const disk = await smallDisk('48m');
      await device.serve({ TOPE_WORK_DIR: disk, ...killAt('reserve.giveUp', moment) });
      // Held, so that its log does not race for the last page.
      process.kill(device.updater.pid, 'SIGSTOP');
      // A save that replaces a backup frees the page that it needs.
      for (const name of ['state.json', 'state.json.bak']) rmSync(join(disk, 'tmp', name), { force: true });
      const ballast = await fillDisk(disk, 0);
      process.kill(device.updater.pid, 'SIGCONT');
      await device.download('1.0.0').catch(() => undefined);
      await isKilled(device.updater);
      rmSync(ballast);
      await takesTheNextOrder(device, { TOPE_WORK_DIR: disk });
      expect(readdirSync(join(disk, 'tmp'))).toContain('reserve');
    });
  }

  for (const moment of ['before', 'written', 'renamed', 'after']) {
    testIf(
      ROOT,
      `staging.outside (${moment}) leaves nothing beside the files of another mount [D-38]`,
      async () => {
        const device = await newDevice();
        const disk = await smallDisk('64m');
        const environment = { TOPE_EXTRA_ROOTS: disk };
        const built = buildPackage(join(device.folder, 'packages'), {
          version: '2.0.0',
          modules: [{ name: 'conf', dst: join(disk, 'app.conf'), brings: { bytes: 'new' } }],
        });
        await device.serve({ ...environment, ...killAt('staging.outside', moment) });
        await orderUpdate(device, built);
        await isKilled(device.updater);
        await device.serve(environment);
        const { stage } = await device.api.hears('the end', (report) =>
          ['success', 'failed'].includes(report.stage),
        );
        if (stage === 'failed') {
          const from = device.api.heard.length;
          await orderUpdate(device, built);
          await device.api.hearsStage('success', { from });
        }
        expect(readdirSync(disk)).toEqual(['app.conf']);
        expect(readFileSync(join(disk, 'app.conf'), 'utf8')).toBe('new');
      },
    );
  }

  for (const moment of ['before', 'after']) {
    testIf(
      SYSTEMD_LAB,
      `unit.reload (${moment}) under a real systemd is carried on, and the unit is what was brought`,
      async () => {
        const updater = await LabUpdater.boot();
        opened.push(updater);
        await updater.serve(killAt('unit.reload', moment));
        await updater.order('1.0.0');
        await updater.isKilled();
        await updater.serve({});
        await updater.api.hearsStage('success');
        expect(await updater.unitSays()).toBe('1.0.0 active');
        await updater.order('1.1.0');
        await updater.api.hearsStage('success', { from: updater.api.heard.length });
        expect(await updater.unitSays()).toBe('1.1.0 active');
      },
      60_000,
    );
  }

  test('every rare step was tried, where the machine has what it needs', () => {
    const needs = { root: ['reserve.giveUp', 'staging.outside'], lab: ['unit.reload'] };
    const lacking = [...(ROOT.met ? [] : needs.root), ...(SYSTEMD_LAB.met ? [] : needs.lab)];
    expect([...tested].sort()).toEqual(RARE_STEPS.filter((name) => !lacking.includes(name)).sort());
  });
});

async function orderUpdate(device: CrashDevice, built: BuiltPackage): Promise<void> {
  accepted(await device.post('/download', device.server.orderOf(built)));
  await device.reaches('toInstall');
  // The updater may be killed before it has answered.
  await device.update(built.version).catch(() => undefined);
}
