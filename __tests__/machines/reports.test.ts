import { describe, expect, test } from '@jest/globals';
import type { DrivenMachine } from '../support/machine-driver.js';
import { ANSWERS, at, DOWNLOAD, restart, restored, ROLLBACK, UPDATE } from '../support/machine-driver.js';
import { machineIn } from '../support/driven-states.js';
import {
  EMPTY_OUTBOX,
  MAX_WAITING_REPORTS,
  withoutReport,
  withReport,
  type ReportOutbox,
} from '../../machines/report-outbox.js';
import type { Stage } from '../../machines/stage.js';

const stagesOf = (machine: DrivenMachine) => machine.reports.map(({ stage }) => stage);
const UP_TO_REBOOTING = ['downloading', 'verifying', 'toInstall', 'installing', 'rebooting'];

describe('what device-api is told', () => {
  test('of an update: each stage once, in order, and nothing of the silent return to idle [W-53, W-69]', async () => {
    const machine = await machineIn('done');
    await machine.finish('watchDone');
    expect(machine.state).toBe('idle');
    expect(stagesOf(machine)).toEqual([...UP_TO_REBOOTING, 'success']);
    expect(machine.reports.at(-1)).toEqual({
      stage: 'success',
      progress: 100,
      message: 'Update finished',
      error: null,
    });
  });

  test('of a failed health check: the first cause and how the rollback ended [W-47, D-79]', async () => {
    const machine = await machineIn('restarting.settling');
    const words = 'voice-app exited 1 (2 restarts in 5 s)';
    await machine.fail('settleServices', 'HEALTH_CHECK_FAILED', { progress: 80 }, words);
    await machine.finish('goBack', { ...ANSWERS.goBack, outcome: 'rolled back to 1.1.0' });
    expect(stagesOf(machine)).toEqual([...UP_TO_REBOOTING, 'failed']);
    expect(machine.reports.at(-1)).toEqual({
      stage: 'failed',
      progress: 80,
      message: 'Update failed',
      error: 'HEALTH_CHECK_FAILED: voice-app exited 1 (2 restarts in 5 s); rolled back to 1.1.0',
    });
    expect(machine.calls.find(({ name }) => name === 'tidy')?.input).toMatchObject({
      kept: 'package',
      bad: { version: '1.1.0', why: `HEALTH_CHECK_FAILED: ${words}; rolled back to 1.1.0` },
    });
  });

  test('of a way back that failed: the code stays the first cause’s while a version runs [D-84]', async () => {
    const machine = await machineIn('restarting.settling');
    await machine.fail('settleServices', 'HEALTH_CHECK_FAILED', {}, 'a');
    await machine.fail('goBack', 'SERVICE_START_FAILED', {}, 'b');
    await machine.finish('goToFactory', { ...ANSWERS.goToFactory, outcome: 'rolled back to factory 1.0.0' });
    expect(machine.reports.at(-1)?.error).toBe(
      'HEALTH_CHECK_FAILED: a; going back failed (SERVICE_START_FAILED: b); rolled back to factory 1.0.0',
    );
  });

  test('of no version that runs: ROLLBACK_FAILED, with all three causes [D-84]', async () => {
    const machine = await machineIn('deploying.switching');
    await machine.fail('switchFiles', 'DEPLOYMENT_FAILED', {}, 'a');
    await machine.fail('goBack', 'SERVICE_START_FAILED', {}, 'b');
    await machine.fail('goToFactory', 'SERVICE_START_FAILED', {}, 'c');
    expect(machine.reports.at(-1)?.error).toBe(
      'ROLLBACK_FAILED: DEPLOYMENT_FAILED: a; going back failed (SERVICE_START_FAILED: b); no version runs (SERVICE_START_FAILED: c)',
    );
    expect(machine.path.slice(-3)).toEqual([
      'deploying.undoing',
      'restarting.rollingBack.toFactory',
      'failed',
    ]);
  });

  test('of services that could not be stopped: the version is not to blame [D-55, D-86]', async () => {
    const machine = await machineIn('deploying.stopping');
    await machine.fail('stopServices', 'PROCESS_KILL_FAILED', {}, 'pid 7 (voice-app)');
    await machine.finish('goBack', { ...ANSWERS.goBack, outcome: 'nothing was changed' });
    expect(machine.reports.at(-1)?.error).toBe('PROCESS_KILL_FAILED: pid 7 (voice-app); nothing was changed');
    expect(machine.call('tidy').input).toMatchObject({ bad: null });
  });

  test('of a switch that failed, or of anything after it: the version is marked bad [D-86]', async () => {
    const machine = await machineIn('deploying.switching');
    await machine.fail('switchFiles', 'DEPLOYMENT_FAILED', {}, 'EIO');
    await machine.finish('goBack');
    expect(machine.call('tidy').input).toMatchObject({
      bad: { version: '1.1.0', why: 'DEPLOYMENT_FAILED: EIO; rolled back to 1.0.0' },
    });
  });

  test('of an ordered rollback: installing, rebooting, success [W-80]', async () => {
    const machine = await (await machineIn('idle')).send(ROLLBACK).settle();
    expect(stagesOf(machine)).toEqual(['installing', 'rebooting', 'success']);
    expect(machine.context.deployment).toMatchObject({ purpose: 'rollback', from: { version: '1.0.0' } });
  });

  test('of a cancel: idle [W-69]', async () => {
    for (const state of ['downloading.transferring', 'verifying.hashing', 'ready.waiting'] as const) {
      const machine = await machineIn(state);
      machine.send({ type: 'CANCEL' });
      expect(machine.reports.at(-1)).toEqual({
        stage: 'idle',
        progress: 0,
        message: 'No update in progress',
        error: null,
      });
    }
  });

  test('over a restart in every stage: still each stage once', async () => {
    let machine = await machineIn('idle');
    const told: string[] = [];
    const interrupt = () => {
      told.push(...stagesOf(machine));
      machine = restart(machine.saved(), restored());
    };
    interrupt();
    machine.send(DOWNLOAD);
    interrupt();
    await machine.finish('transfer');
    interrupt();
    await machine.finish('hashPackage');
    await machine.finish('inspectPackage');
    interrupt();
    machine.send(UPDATE);
    await machine.finish('askGuard');
    interrupt();
    await machine.settle();
    interrupt();
    told.push(...stagesOf(machine));
    expect(told).toEqual([...UP_TO_REBOOTING, 'success']);
    expect(machine.context.outbox.waiting.map(({ stage }) => stage)).toEqual(told);
  });

  test('is dropped once it is acknowledged, in any state', async () => {
    const machine = await machineIn('done');
    const [first, second] = machine.context.outbox.waiting;
    machine.send({ type: 'REPORT_DELIVERED', id: first?.id ?? 0 });
    expect(machine.context.outbox.waiting[0]).toEqual(second);
    machine.send({ type: 'REPORT_DELIVERED', id: 999 });
    expect(machine.context.outbox.waiting).toHaveLength(5);
  });

  test('of an update that expired, in one report', async () => {
    const machine = await machineIn('ready.waiting');
    await machine.finish('watchTrust', { at: at(25 * 3_600_000) });
    expect(stagesOf(machine).slice(-2)).toEqual(['toInstall', 'failed']);
  });
});

describe('the outbox', () => {
  const filled = (stages: Stage[]): ReportOutbox =>
    stages.reduce(
      (outbox, stage) => withReport(outbox, { stage, progress: 0, message: '', error: null }),
      EMPTY_OUTBOX,
    );
  const times = (count: number): Stage[] =>
    Array.from({ length: count }, (_, i) => (i % 2 === 0 ? 'downloading' : 'idle'));
  const stages = ({ waiting }: ReportOutbox) => waiting.map(({ stage }) => stage);

  test('keeps the newest 16, with ids that go on [W-63]', () => {
    const outbox = filled(times(20));
    expect(outbox.waiting.map(({ id }) => id)).toEqual(
      Array.from({ length: MAX_WAITING_REPORTS }, (_, i) => i + 5),
    );
    expect(outbox.nextId).toBe(21);
  });

  test('keeps the newest final report, however much comes after it [W-63]', () => {
    const outbox = filled(['downloading', 'success', 'downloading', 'failed', ...times(40)]);
    expect(outbox.waiting).toHaveLength(MAX_WAITING_REPORTS);
    expect(stages(outbox).filter((stage) => stage === 'failed' || stage === 'success')).toEqual(['failed']);
    expect(outbox.waiting.at(-1)?.id).toBe(44);
  });

  test('tells the same stage twice in a row only once, also after it was acknowledged [W-68]', () => {
    const outbox = filled(['downloading', 'downloading', 'verifying', 'downloading']);
    expect(stages(outbox)).toEqual(['downloading', 'verifying', 'downloading']);
    const delivered = outbox.waiting.reduce((box, { id }) => withoutReport(box, id), outbox);
    expect(delivered.waiting).toEqual([]);
    const again = { stage: 'downloading', progress: 0, message: '', error: null } as const;
    expect(withReport(delivered, again)).toEqual(delivered);
  });
});
