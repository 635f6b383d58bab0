import { describe, expect, test } from '@jest/globals';
import { at, DOWNLOAD, HOUR_MS, ORDER, OTHER_ORDER, ROLLBACK, UPDATE } from '../support/machine-driver.js';
import { LEAF_STATES, machineIn } from '../support/driven-states.js';
import { rowsOf } from '../support/text-table.js';
import type { UpdateEvent } from '../../machines/update-events.js';

/** `=`: the machine stays where it is and no actor is disturbed. */
const TABLE = `
  state                             | same package | other package            | update              | update other | update late | cancel | rollback          | delivered
  idle                              | downloading.transferring | downloading.transferring | =       | =            | =           | =      | deploying.staging | =
  downloading.transferring          | =            | =                        | =                   | =            | =           | idle   | =                 | =
  downloading.backingOff            | =            | =                        | =                   | =            | =           | idle   | =                 | =
  downloading.waitingForNetwork     | =            | =                        | =                   | =            | =           | idle   | =                 | =
  verifying.hashing                 | =            | =                        | =                   | =            | =           | idle   | =                 | =
  verifying.inspecting              | =            | =                        | =                   | =            | =           | idle   | =                 | =
  ready.waiting                     | =            | downloading.transferring | ready.askingGuard   | =            | failed      | idle   | =                 | =
  ready.askingGuard                 | =            | downloading.transferring | =                   | =            | =           | idle   | =                 | =
  deploying.rehashing               | =            | =                        | =                   | =            | =           | =      | =                 | =
  deploying.staging                 | =            | =                        | =                   | =            | =           | =      | =                 | =
  deploying.stopping                | =            | =                        | =                   | =            | =           | =      | =                 | =
  deploying.switching               | =            | =                        | =                   | =            | =           | =      | =                 | =
  deploying.undoing                 | =            | =                        | =                   | =            | =           | =      | =                 | =
  restarting.postCommands           | =            | =                        | =                   | =            | =           | =      | =                 | =
  restarting.starting               | =            | =                        | =                   | =            | =           | =      | =                 | =
  restarting.settling               | =            | =                        | =                   | =            | =           | =      | =                 | =
  restarting.committing             | =            | =                        | =                   | =            | =           | =      | =                 | =
  restarting.rollingBack.toPrevious | =            | =                        | =                   | =            | =           | =      | =                 | =
  restarting.rollingBack.toFactory  | =            | =                        | =                   | =            | =           | =      | =                 | =
  done                              | downloading.transferring | downloading.transferring | =       | =            | =           | =      | deploying.staging | =
  failed                            | downloading.transferring | downloading.transferring | =       | =            | =           | =      | deploying.staging | =
`;

const EVENTS: Record<string, UpdateEvent> = {
  'same package': DOWNLOAD,
  'other package': { type: 'DOWNLOAD', order: OTHER_ORDER },
  update: UPDATE,
  'update other': { ...UPDATE, version: OTHER_ORDER.version },
  'update late': { ...UPDATE, at: at(24 * HOUR_MS + 100) },
  cancel: { type: 'CANCEL' },
  rollback: ROLLBACK,
  delivered: { type: 'REPORT_DELIVERED', id: 1 },
};

describe('an order', () => {
  const rows = rowsOf(TABLE);

  test('is told for every state and every event', () => {
    expect(rows.map(({ state }) => state)).toEqual([...LEAF_STATES]);
    expect(Object.keys(rows[0] ?? {})).toEqual(['state', ...Object.keys(EVENTS)]);
  });

  for (const state of LEAF_STATES) {
    const row = rows.find((one) => one['state'] === state) ?? {};
    for (const [name, event] of Object.entries(EVENTS)) {
      const next = row[name] === '=' ? state : (row[name] ?? '');
      test(`${name} in ${state} leads to ${next} [W-34, W-56, M-5, M-11]`, async () => {
        const machine = await machineIn(state);
        const before = [...machine.calls];
        machine.send(event);
        expect(machine.state).toBe(next);
        if (row[name] === '=') expect(machine.calls).toEqual(before);
      });
    }
  }

  test('for the same package replaces the URL for the next attempt and nothing else [W-30]', async () => {
    for (const state of ['downloading.backingOff', 'verifying.hashing'] as const) {
      const machine = await machineIn(state);
      const fresh = { ...ORDER, url: 'http://127.0.0.1/a.zip?sig=second' };
      machine.send({ type: 'DOWNLOAD', order: fresh });
      expect(machine.context.order).toEqual(fresh);
    }
  });

  test('never gives a URL to an actor, in any state [M-4]', async () => {
    for (const state of LEAF_STATES) {
      const machine = await machineIn(state);
      expect(JSON.stringify(machine.calls.map(({ input }) => input))).not.toContain('sig=');
    }
  });

  test('that comes late leaves neither package nor trust [W-40]', async () => {
    const machine = await machineIn('ready.waiting');
    machine.send({ ...UPDATE, at: at(24 * HOUR_MS + 100) });
    expect(machine.context).toMatchObject({ kept: 'nothing', trust: null, order: ORDER });
    expect(machine.context.failure).toEqual({
      code: 'PACKAGE_EXPIRED',
      message: '1.1.0 was verified more than 24 h ago',
      progress: 100,
    });
    expect(machine.call('tidy').input).toMatchObject({ kept: 'nothing' });
  });

  test('to update is obeyed in the last ms of the 24 h [W-39]', async () => {
    const machine = await machineIn('ready.waiting');
    machine.send({ ...UPDATE, at: at(24 * HOUR_MS + 99) });
    expect(machine.state).toBe('ready.askingGuard');
  });

  test('to cancel keeps a partial for the next order, and drops a package that was ready [W-77]', async () => {
    const kept = async (state: 'downloading.backingOff' | 'verifying.hashing' | 'ready.waiting') => {
      const machine = await machineIn(state);
      return machine.send({ type: 'CANCEL' }).call('tidy').input;
    };
    expect(await kept('downloading.backingOff')).toMatchObject({ kept: 'partial', identity: { size: 1000 } });
    expect(await kept('verifying.hashing')).toMatchObject({ kept: 'package', identity: { size: 1000 } });
    expect(await kept('ready.waiting')).toEqual({ kept: 'nothing', identity: null, bad: null });
  });
});
