import { describe, expect, test } from '@jest/globals';
import type { AnyStateNode, SnapshotFrom } from 'xstate';
import { getShortestPaths } from 'xstate/graph';
import {
  ANSWERS,
  asEvent,
  at,
  DOWNLOAD,
  DrivenMachine,
  HOUR_MS,
  OTHER_ORDER,
  restored,
  ROLLBACK,
  UPDATE,
} from '../support/machine-driver.js';
import { readSnapshot } from '../support/read-snapshot.js';
import { LEAF_STATES } from '../support/driven-states.js';
import { UpdateError } from '../../machines/errors.js';
import { statePath } from '../../machines/stage.js';
import { updateMachine } from '../../machines/update-machine.js';
import type { UpdateEvent } from '../../machines/update-events.js';

const NODES = withStatesIn(updateMachine.root);

function withStatesIn(node: AnyStateNode): AnyStateNode[] {
  return [node, ...Object.values(node.states).flatMap(withStatesIn)];
}

/** Each invoke of the machine: its id, and the port it uses. */
const INVOKES = NODES.flatMap(({ invoke }) => invoke);

const ERRORS = [
  new UpdateError('DOWNLOAD_FAILED', 'cut', { retry: 'retry' }),
  new UpdateError('DOWNLOAD_FAILED', 'no route', { retry: 'network' }),
  new UpdateError('MD5_MISMATCH', 'wrong'),
  new UpdateError('INTERNAL_ERROR', 'broken'),
];

/** All that can happen to the machine while it runs. */
const EVENTS: UpdateEvent[] = [
  DOWNLOAD,
  { type: 'DOWNLOAD', order: OTHER_ORDER },
  UPDATE,
  { ...UPDATE, at: at(30 * HOUR_MS) },
  { type: 'CANCEL' },
  ROLLBACK,
  ...INVOKES.flatMap(({ id, src }) => [
    ...answersOf(src).map((output) => asEvent({ type: `xstate.done.actor.${id}`, output })),
    ...ERRORS.map((error) => asEvent({ type: `xstate.error.actor.${id}`, error })),
  ]),
];

function answersOf(src: unknown): unknown[] {
  const usual = Object.entries(ANSWERS).find(([name]) => name === src)?.[1];
  if (src === 'transfer') return [usual, { resumed: true }];
  if (src === 'askGuard') return [usual, { busy: 'printing' }];
  if (src === 'watchTrust') return [usual, { at: at(30 * HOUR_MS) }];
  return [usual];
}

type State = SnapshotFrom<typeof updateMachine>;

/** What tells two states apart: the context's counts are left out where no guard asks for them. */
function nameOf({ value, context }: State): string {
  const { attempts, deployment, order, trust, kept } = context;
  const { empty, resumed, startedOver } = attempts;
  return JSON.stringify([
    statePath(value),
    empty,
    resumed,
    startedOver,
    order?.version,
    deployment?.purpose,
    deployment?.provenBad,
    trust === null,
    kept,
  ]);
}

const isState = (state: object): state is State => 'context' in state;

function reachable(): State[] {
  const paths = getShortestPaths(updateMachine, {
    events: EVENTS,
    filterEvents: (state, event) => isState(state) && state.can(event),
    serializeState: (state) => (isState(state) ? nameOf(state) : ''),
    limit: 100_000,
  });
  return paths.map(({ state }) => state).filter(isState);
}

describe('the machine', () => {
  const states = reachable();

  test('reaches each of its states by orders and answers alone, and no other', () => {
    expect([...new Set(states.map(({ value }) => statePath(value)))].sort()).toEqual([...LEAF_STATES].sort());
    expect(states.length).toBeGreaterThan(100);
  });

  test('takes each of its transitions somewhere', () => {
    const taken = new Set<unknown>();
    for (const state of states) {
      for (const event of EVENTS) {
        for (const transition of updateMachine.getTransitionData(state, event)) taken.add(transition);
      }
    }
    const never = NODES.flatMap((node) => [...node.transitions.values()].flat())
      .filter(({ eventType }) => eventType !== 'RESTORED' && eventType !== 'REPORT_DELIVERED')
      .filter((transition) => !taken.has(transition))
      .map(({ source, eventType }) => `${source.id} ${eventType}`);
    expect(never).toEqual([]);
  });

  test('in each reachable state: goes through JSON, is restored, and settles [M-51]', async () => {
    for (const state of states) {
      const saved = readSnapshot(JSON.stringify(updateMachine.getPersistedSnapshot(state)));
      const machine = new DrivenMachine(saved);
      expect(machine.state).toBe(statePath(state.value));
      expect(machine.context).toEqual(state.context);
      machine.send(restored());
      await machine.settle();
      expect(['idle', 'ready.waiting', 'done', 'failed']).toContain(machine.state);
      expect(machine.status).toBe('active');
    }
  });

  test('in each reachable state: settles too where every actor fails [M-14]', async () => {
    for (const state of states) {
      const machine = new DrivenMachine(
        readSnapshot(JSON.stringify(updateMachine.getPersistedSnapshot(state))),
      );
      machine.send(restored());
      for (let steps = 0; machine.calls.length > 0 && steps < 20; steps++) {
        await machine.failWith(machine.calls[0]?.name ?? 'tidy', 'broken');
      }
      expect(machine.calls).toEqual([]);
      expect(['idle', 'failed']).toContain(machine.state);
      expect(machine.status).toBe('active');
    }
  });
});

describe('the table', () => {
  test('has exactly the eight states of the contract [M-2]', () => {
    expect(Object.keys(updateMachine.root.states)).toEqual([
      'idle',
      'downloading',
      'verifying',
      'ready',
      'deploying',
      'restarting',
      'done',
      'failed',
    ]);
  });

  test('gives every actor a way on when it is done and when it fails, and names each [M-3]', () => {
    for (const node of NODES) {
      for (const { id, src } of node.invoke) {
        expect(typeof src).toBe('string');
        expect(id).not.toMatch(/^\d|\./);
        expect([...node.transitions.keys()]).toContain(`xstate.done.actor.${id}`);
        expect([...node.transitions.keys()]).toContain(`xstate.error.actor.${id}`);
      }
    }
    expect(new Set(INVOKES.map(({ id }) => id)).size).toBe(INVOKES.length);
  });

  test('has nothing that a restart would lose: no delays, no transitions without an event, no final states [M-61]', () => {
    for (const node of NODES) {
      expect(node.after).toEqual([]);
      expect(node.always ?? []).toEqual([]);
      expect(node.type).not.toBe('final');
    }
  });

  test('names every guard and every action [M-3]', () => {
    for (const { entry, exit, transitions } of NODES) {
      const all = [...transitions.values()].flat();
      for (const action of [...entry, ...exit, ...all.flatMap(({ actions }) => actions)]) {
        expect(typeof (typeof action === 'object' && 'type' in action ? action.type : action)).toBe('string');
      }
      for (const { guard } of all) expect(typeof guard).not.toBe('function');
    }
  });
});
