import { describe, expect, test } from '@jest/globals';
import { at, HOUR_MS, type PortName } from '../support/machine-driver.js';
import { machineIn, type LeafState } from '../support/driven-states.js';
import type { ErrorCode, UpdateErrorFacts } from '../../machines/errors.js';

const busy = { busy: 'a print is running' };
const NETWORK = { retry: 'network' } as const;
const RETRY = { retry: 'retry' } as const;

/** state, actor, what it answers (undefined: all is well), where the machine goes. */
const ANSWERS: [LeafState, PortName, unknown, LeafState][] = [
  ['idle', 'tidy', undefined, 'idle'],
  ['downloading.transferring', 'transfer', undefined, 'verifying.hashing'],
  ['downloading.backingOff', 'backOff', undefined, 'downloading.transferring'],
  ['downloading.waitingForNetwork', 'awaitNetwork', undefined, 'downloading.transferring'],
  ['verifying.hashing', 'hashPackage', undefined, 'verifying.inspecting'],
  ['verifying.inspecting', 'inspectPackage', undefined, 'ready.waiting'],
  ['ready.waiting', 'watchTrust', { at: at(HOUR_MS) }, 'ready.waiting'],
  ['ready.waiting', 'watchTrust', { at: at(24 * HOUR_MS + 100) }, 'failed'],
  ['ready.askingGuard', 'askGuard', undefined, 'deploying.rehashing'],
  ['ready.askingGuard', 'askGuard', busy, 'ready.waiting'],
  ['deploying.rehashing', 'rehashPackage', undefined, 'deploying.staging'],
  ['deploying.staging', 'stageRelease', undefined, 'deploying.stopping'],
  ['deploying.stopping', 'stopServices', undefined, 'deploying.switching'],
  ['deploying.switching', 'switchFiles', undefined, 'restarting.postCommands'],
  ['deploying.undoing', 'goBack', undefined, 'failed'],
  ['restarting.postCommands', 'runPostCommands', undefined, 'restarting.starting'],
  ['restarting.starting', 'startServices', undefined, 'restarting.settling'],
  ['restarting.settling', 'settleServices', undefined, 'restarting.committing'],
  ['restarting.committing', 'commitRelease', undefined, 'done'],
  ['restarting.rollingBack.toPrevious', 'goBack', undefined, 'failed'],
  ['restarting.rollingBack.toFactory', 'goToFactory', undefined, 'failed'],
  ['done', 'watchDone', undefined, 'idle'],
  ['done', 'tidy', undefined, 'done'],
  ['failed', 'tidy', undefined, 'failed'],
  ['failed', 'watchTrust', { at: at(24 * HOUR_MS + 100) }, 'failed'],
];

/** state, actor, the error it is rejected with, where the machine goes, what is kept of the package. */
const ERRORS: [LeafState, PortName, ErrorCode, UpdateErrorFacts, LeafState, string][] = [
  ['idle', 'tidy', 'DISK_FULL', {}, 'idle', 'nothing'],
  ['downloading.transferring', 'transfer', 'DOWNLOAD_FAILED', RETRY, 'downloading.backingOff', 'partial'],
  [
    'downloading.transferring',
    'transfer',
    'DOWNLOAD_FAILED',
    NETWORK,
    'downloading.waitingForNetwork',
    'partial',
  ],
  ['downloading.transferring', 'transfer', 'DOWNLOAD_FAILED', {}, 'failed', 'partial'],
  ['downloading.transferring', 'transfer', 'INCOMPLETE_DOWNLOAD', {}, 'failed', 'partial'],
  ['downloading.transferring', 'transfer', 'DISK_FULL', {}, 'failed', 'nothing'],
  ['downloading.transferring', 'transfer', 'PACKAGE_SIZE_MISMATCH', {}, 'failed', 'nothing'],
  ['downloading.transferring', 'transfer', 'DOWNLOAD_FAILED', { discard: true }, 'failed', 'nothing'],
  ['downloading.backingOff', 'backOff', 'INTERNAL_ERROR', {}, 'failed', 'partial'],
  ['downloading.waitingForNetwork', 'awaitNetwork', 'DOWNLOAD_FAILED', {}, 'failed', 'partial'],
  ['verifying.hashing', 'hashPackage', 'MD5_MISMATCH', {}, 'failed', 'nothing'],
  ['verifying.hashing', 'hashPackage', 'SHA256_MISMATCH', {}, 'failed', 'nothing'],
  ['verifying.hashing', 'hashPackage', 'INTERNAL_ERROR', {}, 'failed', 'package'],
  ['verifying.hashing', 'hashPackage', 'INCOMPLETE_DOWNLOAD', {}, 'downloading.transferring', 'partial'],
  ['verifying.inspecting', 'inspectPackage', 'SIGNATURE_INVALID', {}, 'failed', 'nothing'],
  ['verifying.inspecting', 'inspectPackage', 'INVALID_PACKAGE', {}, 'failed', 'nothing'],
  ['verifying.inspecting', 'inspectPackage', 'INVALID_MANIFEST', {}, 'failed', 'nothing'],
  ['verifying.inspecting', 'inspectPackage', 'VERSION_NOT_ALLOWED', {}, 'failed', 'nothing'],
  ['verifying.inspecting', 'inspectPackage', 'INCOMPATIBLE_DEVICE', {}, 'failed', 'nothing'],
  ['verifying.inspecting', 'inspectPackage', 'DISK_FULL', {}, 'failed', 'package'],
  ['ready.waiting', 'watchTrust', 'INTERNAL_ERROR', {}, 'failed', 'package'],
  ['ready.askingGuard', 'askGuard', 'INTERNAL_ERROR', {}, 'ready.waiting', 'package'],
  ['deploying.rehashing', 'rehashPackage', 'MD5_MISMATCH', {}, 'failed', 'nothing'],
  ['deploying.rehashing', 'rehashPackage', 'INTERNAL_ERROR', {}, 'failed', 'package'],
  ['deploying.staging', 'stageRelease', 'DISK_FULL', {}, 'failed', 'package'],
  ['deploying.staging', 'stageRelease', 'DEPLOYMENT_FAILED', {}, 'failed', 'package'],
  ['deploying.staging', 'stageRelease', 'INVALID_PACKAGE', {}, 'failed', 'nothing'],
  ['deploying.stopping', 'stopServices', 'PROCESS_KILL_FAILED', {}, 'deploying.undoing', 'package'],
  ['deploying.stopping', 'stopServices', 'DEVICE_BUSY', {}, 'deploying.undoing', 'package'],
  ['deploying.switching', 'switchFiles', 'DEPLOYMENT_FAILED', {}, 'deploying.undoing', 'package'],
  ['deploying.undoing', 'goBack', 'DISK_FULL', {}, 'restarting.rollingBack.toFactory', 'package'],
  [
    'restarting.postCommands',
    'runPostCommands',
    'POST_CMD_FAILED',
    {},
    'restarting.rollingBack.toPrevious',
    'package',
  ],
  [
    'restarting.starting',
    'startServices',
    'SERVICE_START_FAILED',
    {},
    'restarting.rollingBack.toPrevious',
    'package',
  ],
  [
    'restarting.settling',
    'settleServices',
    'HEALTH_CHECK_FAILED',
    {},
    'restarting.rollingBack.toPrevious',
    'package',
  ],
  ['restarting.committing', 'commitRelease', 'DISK_FULL', {}, 'restarting.rollingBack.toPrevious', 'package'],
  [
    'restarting.rollingBack.toPrevious',
    'goBack',
    'SERVICE_START_FAILED',
    {},
    'restarting.rollingBack.toFactory',
    'package',
  ],
  ['restarting.rollingBack.toFactory', 'goToFactory', 'DEPLOYMENT_FAILED', {}, 'failed', 'package'],
  ['done', 'watchDone', 'INTERNAL_ERROR', {}, 'idle', 'nothing'],
  ['done', 'tidy', 'DISK_FULL', {}, 'done', 'nothing'],
  ['failed', 'tidy', 'DISK_FULL', {}, 'failed', 'package'],
  ['failed', 'watchTrust', 'INTERNAL_ERROR', {}, 'failed', 'package'],
];

describe('an actor', () => {
  test.each(ANSWERS)(
    'in %s: %s answers %j, and the machine goes on to %s [W-56, M-9]',
    async (state, name, answer, next) => {
      const machine = await machineIn(state);
      await (answer === undefined ? machine.finish(name) : machine.finish(name, answer));
      expect(machine.state).toBe(next);
    },
  );

  test.each(ERRORS)(
    'in %s: %s fails with %s %j, so that %s follows and %s is kept [M-7, M-12, M-13, D-78, D-103, D-104, D-105]',
    async (...row) => {
      const [state, name, code, facts, next, kept] = row;
      const machine = await machineIn(state);
      await machine.fail(name, code, facts);
      expect(machine.state).toBe(next);
      expect(machine.context.kept).toBe(kept);
    },
  );

  test('that watches the trust makes it older, and no new report', async () => {
    const machine = await machineIn('ready.waiting');
    await machine.finish('watchTrust', { at: at(HOUR_MS) });
    await machine.finish('watchTrust', { at: at(2 * HOUR_MS) });
    expect(machine.call('watchTrust').input).toEqual({
      trust: { countedMs: 2 * HOUR_MS - 100, asOf: at(2 * HOUR_MS) },
    });
    expect(machine.reports.filter(({ stage }) => stage === 'toInstall')).toHaveLength(1);
  });

  test('that says the device is busy leaves its words, and the next order asks again', async () => {
    const machine = await machineIn('ready.askingGuard');
    await machine.finish('askGuard', busy);
    expect(machine.context.refusal).toEqual({ code: 'DEVICE_BUSY', message: 'a print is running' });
    machine.send({ type: 'UPDATE', version: '1.1.0', at: at(1) });
    expect(machine.context.refusal).toBeNull();
    expect(machine.actor.getSnapshot().hasTag('unsaved')).toBe(true);
  });

  test('that cannot tell whether the device is busy counts as busy', async () => {
    const machine = await machineIn('ready.askingGuard');
    await machine.fail('askGuard', 'INTERNAL_ERROR', {}, 'no answer in 3 s');
    expect(machine.context.refusal).toEqual({ code: 'DEVICE_BUSY', message: 'no answer in 3 s' });
  });

  test.each([
    [true, { version: '1.1.0', why: 'INTERNAL_ERROR: no room to save; over' }],
    [false, null],
  ])('that goes back tells by %s whether the version that failed in switching is bad', async (...row) => {
    const [hasSwitched, bad] = row;
    const machine = await machineIn('deploying.switching');
    await machine.fail('switchFiles', 'INTERNAL_ERROR', {}, 'no room to save');
    await machine.finish('goBack', { outcome: 'over', hasSwitched, notices: ['a was kept as b'] });
    expect(machine.call('tidy').input).toMatchObject({ bad });
    expect(machine.context.notices).toEqual(['a was kept as b']);
  });

  test('that tidies is asked to delete a failed update’s package after its 24 h [D-85]', async () => {
    const machine = await machineIn('failed');
    expect(machine.call('tidy').input).toMatchObject({ kept: 'package' });
    await machine.finish('watchTrust', { at: at(24 * HOUR_MS + 100) });
    expect(machine.call('tidy').input).toMatchObject({ kept: 'nothing', identity: { version: '1.1.0' } });
    expect(machine.context.failure?.code).toBe('INTERNAL_ERROR');
    expect(machine.reports.filter(({ stage }) => stage === 'failed')).toHaveLength(1);
  });

  test('that fails to tidy again and again is told once', async () => {
    const machine = await machineIn('failed');
    for (let hour = 1; hour < 5; hour++) {
      await machine.fail('tidy', 'DISK_FULL', {}, `hour ${hour}`);
      await machine.finish('watchTrust', { at: at(hour * HOUR_MS) });
    }
    expect(machine.context.notices).toEqual(['clean-up failed: DISK_FULL: hour 4']);
  });
});
