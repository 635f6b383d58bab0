import { chmod, copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { findFileUsers } from '../../services/service-control/file-users.js';
import { openServiceControl } from '../../services/service-control/open-service-control.js';
import { readProcesses } from '../../services/service-control/proc.js';
import type { ServiceControl } from '../../services/service-control/service-control.js';
import { settleUnits } from '../../services/service-control/settle-units.js';
import { askToStartAll, startUnits } from '../../services/service-control/start-units.js';
import { stopUnits } from '../../services/service-control/stop-units.js';
import { watchSteps } from '../../services/steps.js';
import { RecordingLog } from '../support/recording-log.js';
import { startProgram, untilIgnoringSigterm } from '../support/start-program.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { until } from '../support/until.js';

const log = new RecordingLog();
const { signal } = new AbortController();
let folder = '';
let root = '';
let control: ServiceControl;

beforeEach(async () => {
  folder = await temporaryFolder();
  root = join(folder, 'managed');
  await mkdir(join(root, 'bin'), { recursive: true });
  control = await openServiceControl('none', [root, join(folder, 'no-such-root')]);
});

async function script(path: string, ...lines: string[]): Promise<string> {
  await writeFile(path, ['#!/bin/sh', ...lines, ''].join('\n'));
  await chmod(path, 0o755);
  return path;
}

async function untilActive(unit: string): Promise<void> {
  await until(`${unit} runs`, async () => (await control.look(unit)).active === 'active');
}

describe('without a service manager', () => {
  test('a unit is active while a program of its name below the root runs [D-92]', async () => {
    await copyFile('/bin/sleep', join(root, 'bin/voice-app'));
    await copyFile('/bin/sleep', join(folder, 'voice-app'));
    const elsewhere = startProgram(join(folder, 'voice-app'), '1000');
    expect(await control.look('voice-app.service')).toMatchObject({ active: 'inactive', mainPid: 0 });
    const child = startProgram(join(root, 'bin/voice-app'), '1000');
    await untilActive('voice-app.service');
    expect(await control.look('voice-app.service')).toMatchObject({ mainPid: child.pid, load: 'loaded' });
    const [stopped] = await stopUnits(control, ['voice-app.service'], { signal, log });
    expect(stopped?.way).toBe('SIGTERM');
    expect(child.signalCode).toBe('SIGTERM');
    expect(elsewhere.signalCode).toBeNull();
  });

  test('a script counts, a program that only reads a file of that name does not [D-92]', async () => {
    const path = await script(join(root, 'device-api'), 'while :; do sleep 0.05; done');
    const reader = startProgram('/usr/bin/tail', '-f', path);
    expect(await stopUnits(control, ['device-api.service'], { signal, log })).toMatchObject([
      { way: 'idle' },
    ]);
    const child = startProgram(path);
    await untilActive('device-api.service');
    await stopUnits(control, ['device-api.service'], { signal, log });
    await child.ended;
    expect(reader.signalCode).toBeNull();
  });

  test('what ignores SIGTERM is killed, with the children that it has started', async () => {
    const steps: string[] = [];
    watchSteps((name, moment) => {
      if (moment === 'before') steps.push(name);
    });
    await copyFile('/bin/sleep', join(folder, 'child-of-app'));
    const path = await script(
      join(root, 'app'),
      'trap "" TERM',
      `${join(folder, 'child-of-app')} 1000 &`,
      'while :; do sleep 0.05; done',
    );
    const child = startProgram(path);
    const isChild = async () => (await findFileUsers([join(folder, 'child-of-app')])).length === 1;
    await until('the child runs', isChild);
    await untilIgnoringSigterm(child.pid);
    const [stopped] = await stopUnits(control, ['app.service'], { signal, log, killAfterMs: 300 });
    watchSteps(null);
    expect(stopped).toMatchObject({ way: 'SIGKILL' });
    expect(steps).toEqual(['unit.stop', 'unit.kill']);
    await child.ended;
    expect(child.signalCode).toBe('SIGKILL');
    expect(await isChild()).toBe(false);
  });

  test('a unit is not gone before the children of its main process are [D-54]', async () => {
    const child = await script(
      join(folder, 'child'),
      'trap "sleep 0.3; exit" TERM',
      'while :; do sleep 0.05; done',
    );
    const main = startProgram(await script(join(root, 'app'), `${child} &`, 'wait'));
    const usersOfChild = () => findFileUsers([child]);
    await until('the child runs', async () => (await usersOfChild()).length > 0);
    const [stopped] = await stopUnits(control, ['app.service'], { signal, log });
    expect(stopped?.way).toBe('SIGTERM');
    expect(main.signalCode).toBe('SIGTERM');
    expect(await usersOfChild()).toEqual([]);
  });

  test('nothing is started, and nothing is settled [D-93]', async () => {
    await startUnits(control, ['voice-app.service'], { signal, log });
    await settleUnits(control, ['voice-app.service'], { signal, settleMs: 60_000 });
    expect(await askToStartAll(control, ['voice-app.service'], log)).toBe(0);
    expect(control.canStart).toBe(false);
    await expect(control.askToStart('voice-app.service')).rejects.toMatchObject({
      code: 'SERVICE_START_FAILED',
    });
  });

  test('users of a file are told, and never stopped for it [D-51]', async () => {
    const program = join(root, 'bin/tool');
    await copyFile('/bin/sleep', program);
    const child = startProgram(program, '1000');
    await until('it runs', async () => (await control.findUsers([program])).others.length > 0);
    expect(await control.findUsers([program])).toEqual({
      units: [],
      others: [{ pid: child.pid, name: 'tool', path: program }],
    });
    expect(await control.relativesOf('tool.service')).toEqual({ dependents: [], triggers: [] });
    expect(await control.isSystemStopping()).toBe(false);
    await control.reload();
    await control.resetFailed('tool.service');
    expect((await readProcesses()).some(({ pid }) => pid === child.pid)).toBe(true);
  });
});

describe('the name of a unit', () => {
  test.each(['voice-app', 'voice-app.service'])('%s is voice-app.service [P-14]', (name) => {
    expect(control.unitName(name)).toBe('voice-app.service');
  });

  test('may be an instance with an escaped name', () => {
    expect(control.unitName('app@dev-sda\\x2d1')).toBe('app@dev-sda\\x2d1.service');
  });

  test.each([
    '',
    '.service',
    'a b',
    'a/b',
    '$(reboot)',
    'a\n',
    'ä',
    'app@',
    'app.socket',
    'app.target.service',
    'tope-updater',
    'tope-updater-recover.service',
    'x'.repeat(248),
  ])('is not %j [D-88]', (name) => {
    expect(() => control.unitName(name)).toThrow(
      expect.objectContaining({ code: 'INVALID_MANIFEST', message: expect.stringContaining('process_name') }),
    );
  });
});
