import { describe, expect, test } from '@jest/globals';
import {
  asEvent,
  at,
  DOWNLOAD,
  DrivenMachine,
  journal,
  restored,
  ROLLBACK,
  UPDATE,
} from '../support/machine-driver.js';
import { LEAF_STATES, machineIn } from '../support/driven-states.js';
import { UpdateError } from '../../machines/errors.js';
import { failureOf } from '../../machines/failure.js';
import { isWellFormed } from '../../machines/well-formed.js';

const circle: Record<string, unknown> = {};
circle['me'] = circle;
const mute = {
  toString(): string {
    throw new Error('not even that');
  },
};
const odd = new Error('x');
Object.defineProperty(odd, 'message', { value: { not: 'a string' } });

const THROWN: [string, unknown][] = [
  ['undefined', undefined],
  ['null', null],
  ['a string', 'words'],
  ['a number', 7],
  ['a symbol', Symbol('s')],
  ['an object', { code: 'ENOSPC' }],
  ['an object without prototype', Object.create(null)],
  ['a circle', circle],
  ['an object that cannot be told', mute],
  ['an Error', new Error('words')],
  ['an Error without words', odd],
  [
    'numbers that JSON does not know',
    new UpdateError('DOWNLOAD_FAILED', 'x', { progress: NaN, bytesArrived: Infinity, retry: 'retry' }),
  ],
  ['an UpdateError with a circle as its cause', new UpdateError('DISK_FULL', 'x', { cause: circle })],
];

/** What is left out or put in instead of each field of an order. */
const MALFORMED: object[] = [
  DOWNLOAD,
  UPDATE,
  ROLLBACK,
  restored(),
  restored({ journal: journal('switched') }),
].flatMap((event) => [
  { type: event.type },
  ...Object.keys(event)
    .filter((key) => key !== 'type')
    .flatMap((key) => [undefined, null, 7, 'x', {}, [], NaN].map((value) => ({ ...event, [key]: value }))),
]);
const ODD: object[] = [
  ...MALFORMED,
  { ...DOWNLOAD, order: { ...DOWNLOAD.order, sha256: 5 } },
  { ...UPDATE, at: { ...at(1), uptimeMs: Infinity } },
  restored({ journal: { ...journal('undoing') } }),
  { ...restored(), journal: { ...journal('undoing'), phase: 'unheard of' } },
  { ...restored(), journal: { ...journal('undoing'), cause: 'words' } },
  { type: 'REPORT_DELIVERED' },
  { type: 'toString' },
  { type: 'UNHEARD_OF', order: circle },
  { type: 'xstate.done.actor.nobody' },
];

/** The machine lives, and what it would save is plain JSON that reads as it was written. */
function expectSound(machine: DrivenMachine): void {
  expect(machine.status).toBe('active');
  expect(JSON.parse(JSON.stringify(machine.context))).toEqual(machine.context);
}

describe('a machine that nothing may end', () => {
  for (const state of LEAF_STATES) {
    test(`bears whatever its actors are rejected with in ${state} [M-14]`, async () => {
      const before = await machineIn(state);
      const names = before.calls.map(({ name }) => name);
      const saved = before.saved();
      expect(names).not.toEqual([]);
      for (const [, thrown] of THROWN) {
        for (const name of names) expectSound(await new DrivenMachine(saved).failWith(name, thrown));
      }
    });

    test(`bears ill-formed events in ${state} [M-14]`, async () => {
      const machine = await machineIn(state);
      for (const event of ODD) {
        machine.actor.getSnapshot().can(asEvent(event));
        machine.send(asEvent(event));
        expect(machine.status).toBe('active');
      }
      expectSound(machine);
    });
  }

  test('takes no ill-formed order: it stays where it is', async () => {
    for (const event of MALFORMED.filter((one) => !isWellFormed(asEvent(one)))) {
      const machine = await machineIn('ready.waiting');
      machine.send(asEvent(event));
      expect(machine.state).toBe('ready.waiting');
      expect(new DrivenMachine().send(asEvent(event)).state).toBe('idle');
    }
    expect(MALFORMED.filter((one) => isWellFormed(asEvent(one))).length).toBeLessThan(MALFORMED.length / 4);
  });
});

describe('a rejection', () => {
  test.each(THROWN)('of %s becomes plain data', (_, thrown) => {
    const failure = failureOf(thrown);
    expect(JSON.parse(JSON.stringify(failure))).toEqual(failure);
    expect(failure.message).not.toBe('');
  });

  test('that is not an error of the table is an INTERNAL_ERROR with its own words', () => {
    expect(failureOf(new Error('EIO'))).toMatchObject({ code: 'INTERNAL_ERROR', message: 'EIO' });
    expect(failureOf('EIO')).toMatchObject({ code: 'INTERNAL_ERROR', message: 'EIO' });
    expect(failureOf(undefined).message).toBe('not an error but undefined was thrown');
  });

  test('tells an integer percent', () => {
    expect(failureOf(new UpdateError('DISK_FULL', 'x', { progress: 47.9 })).progress).toBe(47);
    expect(failureOf(new UpdateError('DISK_FULL', 'x', { progress: 1000 })).progress).toBe(100);
  });

  test('is saved as code and message alone, whatever its cause', async () => {
    const machine = new DrivenMachine();
    await machine.failWith('tidy', new UpdateError('DISK_FULL', 'x', { cause: circle }));
    expect(JSON.stringify(machine.actor.getPersistedSnapshot())).toContain(
      '"error":{"code":"DISK_FULL","message":"x"}',
    );
  });
});
