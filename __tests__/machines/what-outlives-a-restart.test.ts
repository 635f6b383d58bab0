import { describe, expect, test } from '@jest/globals';
import { at, DrivenMachine, journal, restart, restored } from '../support/machine-driver.js';
import { LEAF_STATES, machineIn, type LeafState } from '../support/driven-states.js';
import type { UpdateEvent } from '../../machines/update-events.js';

const after = async (state: LeafState, event: UpdateEvent) =>
  restart((await machineIn(state)).saved(), event);

describe('what outlives a restart', () => {
  test('a clean-up that failed, or was cut, is begun again', async () => {
    for (const state of ['idle', 'done', 'failed'] as const) {
      const machine = await machineIn(state);
      await machine.fail('tidy', 'DISK_FULL');
      const again = restart(machine.saved(), restored());
      expect(again.state).toBe(state);
      expect(again.call('tidy').name).toBe('tidy');
      expect(again.reports).toEqual([]);
    }
    const undone = await after('failed', restored({ journal: journal('undone') }));
    expect(undone.call('tidy').input).toMatchObject({ kept: 'package' });
  });

  test('done goes on counting its 65 s from where it was [M-61]', async () => {
    const machine = await after('done', restored());
    expect(machine.call('watchDone').input).toEqual({ doneFor: { countedMs: 0, asOf: at(200) } });
  });

  test('a report that was not acknowledged is still waiting, and none is told twice [W-65, M-39]', async () => {
    for (const state of LEAF_STATES) {
      const before = await machineIn(state);
      const { waiting } = before.context.outbox;
      const machine = await after(state, restored({ journal: null }));
      expect(machine.context.outbox.waiting.slice(0, waiting.length)).toEqual(waiting);
      const stages = machine.context.outbox.waiting.map(({ stage }) => stage);
      expect(stages.filter((stage, i) => stage === stages[i - 1])).toEqual([]);
    }
  });

  test('what was saved before the event is told goes on by itself: no actor is lost', async () => {
    for (const state of LEAF_STATES) {
      const before = await machineIn(state);
      const names = before.calls.map(({ name }) => name).sort();
      const machine = new DrivenMachine(before.saved());
      expect(machine.state).toBe(state);
      expect(machine.calls.map(({ name }) => name).sort()).toEqual(names);
    }
  });
});
