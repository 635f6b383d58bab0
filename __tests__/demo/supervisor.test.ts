import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { openSupervisedServices } from '../../scripts/demo/supervised-services.js';
import { startSupervisor, type Supervisor } from '../../scripts/demo/supervisor.js';
import {
  isAlive,
  readProcess,
  readProcesses,
  type ProcessFacts,
} from '../../services/service-control/proc.js';
import type { ServiceControl, UnitState } from '../../services/service-control/service-control.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { until } from '../support/until.js';

const PROGRAMS = {
  steady: 'setInterval(() => undefined, 1000);',
  stubborn: [
    "import { writeFileSync } from 'node:fs';",
    "process.on('SIGTERM', () => writeFileSync(import.meta.filename + '.asked', ''));",
    "writeFileSync(import.meta.filename + '.ready', '');",
    'setInterval(() => undefined, 1000);',
  ].join('\n'),
  crashing: 'process.exit(3);',
  parent: [
    "import { spawn } from 'node:child_process';",
    "spawn('sleep', ['60'], { stdio: 'ignore' });",
    'setInterval(() => undefined, 1000);',
  ].join('\n'),
};
type Name = keyof typeof PROGRAMS;

let supervisor: Supervisor | null = null;

afterEach(async () => {
  await supervisor?.close();
  supervisor = null;
});

async function supervise(...names: Name[]) {
  const folder = await temporaryFolder();
  const pathOf = (name: Name) => join(folder, `${name}.mjs`);
  for (const name of names) await writeFile(pathOf(name), PROGRAMS[name]);
  supervisor = await startSupervisor(
    names.map((name) => ({ unit: `${name}.service`, command: [process.execPath, pathOf(name)] })),
    join(folder, 'supervisor.sock'),
    { restartMs: 10, mostRestarts: 2 },
  );
  return { supervisor, control: openSupervisedServices(supervisor.socket), pathOf };
}

function untilState(
  control: ServiceControl,
  unit: string,
  holds: (state: UnitState) => boolean,
): Promise<UnitState> {
  return until(`${unit} is as awaited`, async () => {
    const state = await control.look(unit);
    return holds(state) ? state : null;
  });
}

function childOf(parent: number): Promise<ProcessFacts> {
  return until(`${parent} has a child`, async () =>
    (await readProcesses()).find(({ parentPid }) => parentPid === parent),
  );
}

describe('services of the supervisor', () => {
  test('are real processes that start and stop when the updater asks', async () => {
    const { control } = await supervise('steady');
    expect(await control.look('steady.service')).toMatchObject({ active: 'inactive', mainPid: 0 });
    await control.askToStart('steady.service');
    const { active, mainPid } = await control.look('steady.service');
    expect(active).toBe('active');
    expect(await readProcess(mainPid)).toMatchObject({ pid: mainPid, parentPid: process.pid });
    await control.askToStop('steady.service');
    const stopped = await untilState(control, 'steady.service', (state) => state.active === 'inactive');
    expect(stopped).toMatchObject({ result: 'success', mainPid: 0, restarts: 0 });
    expect(await readProcess(mainPid)).toBeNull();
  });

  test('that crash are started again, fail after so many restarts, and need a reset before the next start', async () => {
    const { supervisor: boss, control } = await supervise('crashing');
    await control.askToStart('crashing.service');
    const failed = await untilState(control, 'crashing.service', (state) => state.active === 'failed');
    expect(failed).toMatchObject({ result: 'exit-code', exitStatus: 3, restarts: 2 });
    expect(boss.unit('crashing.service').crashes).toBe(3);
    await expect(control.askToStart('crashing.service')).rejects.toMatchObject({
      code: 'SERVICE_START_FAILED',
      message: expect.stringContaining('crashing.service is failed'),
    });
    await control.resetFailed('crashing.service');
    await control.askToStart('crashing.service');
    expect((await control.look('crashing.service')).active).not.toBe('inactive');
  });

  test('that are killed unasked come back as another process', async () => {
    const { control } = await supervise('steady');
    await control.askToStart('steady.service');
    const { mainPid } = await control.look('steady.service');
    process.kill(mainPid, 'SIGKILL');
    const again = await untilState(control, 'steady.service', (state) => state.restarts === 1);
    expect(again.mainPid).not.toBe(mainPid);
  });

  test('that ignore SIGTERM end by SIGKILL, and stay down', async () => {
    const { control, pathOf } = await supervise('stubborn');
    await control.askToStart('stubborn.service');
    await until('it has its handler', () => existsSync(`${pathOf('stubborn')}.ready`));
    await control.askToStop('stubborn.service');
    await until('it was asked', () => existsSync(`${pathOf('stubborn')}.asked`));
    expect((await control.look('stubborn.service')).active).toBe('deactivating');
    await control.kill('stubborn.service');
    const state = await untilState(control, 'stubborn.service', ({ active }) => active !== 'deactivating');
    expect(state).toMatchObject({ active: 'inactive', restarts: 0, leftOvers: false });
  });

  test('are found by the files that they use', async () => {
    const { control, pathOf } = await supervise('steady', 'stubborn');
    for (const unit of ['steady.service', 'stubborn.service']) await control.askToStart(unit);
    const users = await control.findUsers([pathOf('steady')]);
    expect(users).toEqual({ units: ['steady.service'], others: [] });
  });

  test('end with all that they have started when the supervisor closes', async () => {
    const { supervisor: boss, control } = await supervise('parent');
    await control.askToStart('parent.service');
    const { mainPid } = await control.look('parent.service');
    const child = await childOf(mainPid);
    await boss.close();
    supervisor = null;
    expect(await readProcess(mainPid)).toBeNull();
    await until('the child is gone', async () => !(await isAlive(child)));
  });

  test('that it does not have are missing, and cannot be ordered about', async () => {
    const { control } = await supervise('steady');
    expect(await control.look('other.service')).toMatchObject({ load: 'missing', active: 'inactive' });
    await expect(control.askToStop('other.service')).rejects.toMatchObject({ code: 'SERVICE_STOP_FAILED' });
  });

  test('cannot be asked once the supervisor is gone', async () => {
    const { supervisor: boss, control } = await supervise('steady');
    await boss.close();
    supervisor = null;
    await expect(control.look('steady.service')).rejects.toThrow('ENOENT');
    await expect(control.askToStart('steady.service')).rejects.toMatchObject({
      code: 'SERVICE_START_FAILED',
      message: expect.stringContaining('ENOENT'),
    });
  });
});
