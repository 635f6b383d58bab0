import { afterEach, describe, expect, test } from '@jest/globals';
import { UpdateError } from '../../machines/errors.js';
import { GUARD_QUESTIONS } from '../../machines/guard-questions.js';
import { GUARDS } from '../../machines/guards.js';
import { updateMachine } from '../../machines/update-machine.js';
import { graphOf } from '../../scripts/picture/machine-graph.js';
import { EventLog } from '../../services/reporting/event-log.js';
import { watchMachine } from '../../services/reporting/machine-watch.js';
import { driveTo, instantAt, ORDER } from '../support/machine-states.js';
import { startScriptedMachine, type ScriptedMachine } from '../support/scripted-machine.js';

let machine: ScriptedMachine;
afterEach(() => machine.stop());

/** A machine, and what was seen of its last step. */
function watched() {
  machine = startScriptedMachine();
  const seen = watchMachine(machine.actor);
  return { machine, seen: () => seen(machine.actor.getSnapshot().context) };
}

describe('what is recorded of a step', () => {
  test('names the transition as pictures of the machine do, and tells what the event was about', () => {
    const { machine, seen } = watched();
    machine.send({ type: 'DOWNLOAD', order: ORDER });
    const { changes, ...step } = seen();
    expect(step).toEqual({
      event: 'DOWNLOAD',
      edge: 'idle/DOWNLOAD/0',
      about: 'version 1.2.0',
      refused: [],
    });
    expect(graphOf(updateMachine).edges.map(({ id }) => id)).toContain(step.edge);
    expect(changes).toContainEqual({ field: 'order.version', before: null, after: '"1.2.0"' });
    expect(JSON.stringify(changes)).not.toMatch(/SECRET|hunter2|outbox/);
  });

  test('holds every guard that was asked first and said no, and what it had to judge by', async () => {
    const { machine, seen } = watched();
    machine.send({ type: 'DOWNLOAD', order: ORDER });
    seen();
    await machine.script.transfer.fail(new UpdateError('DOWNLOAD_FAILED', 'HTTP 404', { retry: 'final' }));
    expect(machine.path()).toBe('failed');
    expect(seen()).toMatchObject({
      event: 'xstate.error.actor.transfer',
      edge: 'downloading.transferring/xstate.error.actor.transfer/2',
      about: 'DOWNLOAD_FAILED: HTTP 404',
      refused: [
        { guard: 'isNetworkAway', question: 'is there no network at all?' },
        { guard: 'mayAskAgain', question: 'is another request worth it, and allowed?' },
      ],
      changes: [
        { field: 'failure.code', before: null, after: '"DOWNLOAD_FAILED"' },
        { field: 'failure.message', before: null, after: '"HTTP 404"' },
        { field: 'failure.progress', before: null, after: '0' },
      ],
    });
  });

  test('counts the inner state’s guards before the outer one’s, also where nothing is taken', async () => {
    const { machine, seen } = watched();
    await driveTo(machine, 'ready.waiting');
    machine.send({ type: 'UPDATE', version: '9.9.9', at: instantAt(2000) });
    const { edge, about, refused } = seen();
    expect([edge, about]).toEqual([null, 'version 9.9.9']);
    expect(refused.map(({ guard }) => guard)).toEqual(['isVersionReadyButExpired', 'isVersionReady']);
    expect(machine.path()).toBe('ready.waiting');
  });

  test('tells why the guard of the device said no', async () => {
    const { machine, seen } = watched();
    await driveTo(machine, 'ready.askingGuard');
    await machine.script.askGuard.answer({ busy: 'it prints' });
    expect(seen()).toMatchObject({
      edge: 'ready.askingGuard/xstate.done.actor.askGuard/1',
      about: '{"busy":"it prints"}',
      refused: [{ guard: 'isDeviceFree', question: 'is the device free, and not printing?' }],
    });
  });

  test('has a question for every guard', () => {
    machine = startScriptedMachine();
    expect(Object.keys(GUARD_QUESTIONS).sort()).toEqual(Object.keys(GUARDS).sort());
  });
});

test('a stream begins with all that is kept where its Last-Event-ID is of a clock that was ahead', () => {
  machine = startScriptedMachine();
  const log = new EventLog(1000);
  for (const progress of [1, 2]) log.progress({ stage: 'downloading', progress, message: '' });
  const idsAfter = (id: number | null) => {
    const ids: number[] = [];
    log.stream(id, (item) => ids.push(item.id))();
    return ids;
  };
  expect(idsAfter(null)).toEqual([]);
  expect(idsAfter(1000)).toEqual([1001]);
  expect(idsAfter(1001)).toEqual([]);
  expect(idsAfter(1_900_000_000_000)).toEqual([1000, 1001]);
});
