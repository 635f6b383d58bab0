import { describe, expect, test } from '@jest/globals';
import { updateMachine } from '../../machines/update-machine.js';
import { passGate } from '../../services/saved-state/restore-gate.js';
import { encodeState } from '../../services/saved-state/saved-state.js';
import { LEAF_STATES, machineIn } from '../support/driven-states.js';
import { DrivenMachine } from '../support/machine-driver.js';

const RESTORES = { state: '', count: 0, bytes: 0 };

/** What comes out of the gate when a machine was saved. */
function throughGate(machine: DrivenMachine) {
  const text = encodeState(machine.actor.getPersistedSnapshot(), RESTORES, new Date().toISOString());
  return passGate(text, updateMachine).snapshot;
}

describe('the restore gate lets through what a machine really saves [M-24]', () => {
  test.each(LEAF_STATES)('in %s', async (state) => {
    const machine = await machineIn(state);
    expect(new DrivenMachine(throughGate(machine)).state).toBe(state);
  });

  test.each(['idle', 'done', 'failed'] as const)(
    'in %s, where the clean-up has ended well or badly',
    async (state) => {
      const good = await (await machineIn(state)).finish('tidy');
      expect(new DrivenMachine(throughGate(good)).state).toBe(state);
      const bad = await (await machineIn(state)).fail('tidy', 'DISK_FULL');
      expect(new DrivenMachine(throughGate(bad)).state).toBe(state);
    },
  );

  test('in failed, where nobody counts the age of the kept package any more', async () => {
    const machine = await (await machineIn('failed')).fail('watchTrust', 'INTERNAL_ERROR');
    expect(new DrivenMachine(throughGate(machine)).state).toBe('failed');
  });

  test('after an order was cancelled, and after an order followed a failure', async () => {
    const cancelled = (await machineIn('ready.waiting')).send({ type: 'CANCEL' });
    expect(new DrivenMachine(throughGate(cancelled)).state).toBe('idle');
    const again = await (await machineIn('failed')).finish('tidy');
    again.send({ type: 'ROLLBACK', to: { id: 'as-found', version: '0.0.0' }, from: null });
    expect(new DrivenMachine(throughGate(again)).state).toBe('deploying.staging');
  });
});
