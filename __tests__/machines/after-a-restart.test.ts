import { describe, expect, test } from '@jest/globals';
import { at, HOUR_MS, journal, LIVE, restart, restored, WANTED } from '../support/machine-driver.js';
import { LEAF_STATES, machineIn, type LeafState } from '../support/driven-states.js';
import { rowsOf } from '../support/text-table.js';
import type { JournalPhase, UpdateEvent } from '../../machines/update-events.js';

/**
 * The table, and what it cannot say below it: kept whole, because whoever changes recovery.ts reads both.
 *
 * Which state a restart leads to, by the state on disk (`lost`: there was none) and the journal's phase. `factory` is a
 * journal of the last resort whose files are not all in place yet.
 */
const TABLE = `
  state on disk                     | none                              | stopping            | switching         | switched                | undoing                           | undone                            | factory | unreadable
  lost                              | idle                              | deploying.undoing   | deploying.undoing | restarting.postCommands | restarting.rollingBack.toPrevious | deploying.undoing                 | restarting.rollingBack.toFactory | failed
  idle                              | idle                              | deploying.undoing   | deploying.undoing | restarting.postCommands | restarting.rollingBack.toPrevious | deploying.undoing                 | restarting.rollingBack.toFactory | failed
  downloading.transferring          | downloading.transferring          | deploying.undoing   | deploying.undoing | restarting.postCommands | restarting.rollingBack.toPrevious | downloading.transferring          | restarting.rollingBack.toFactory | failed
  downloading.backingOff            | downloading.backingOff            | deploying.undoing   | deploying.undoing | restarting.postCommands | restarting.rollingBack.toPrevious | downloading.backingOff            | restarting.rollingBack.toFactory | failed
  downloading.waitingForNetwork     | downloading.waitingForNetwork     | deploying.undoing   | deploying.undoing | restarting.postCommands | restarting.rollingBack.toPrevious | downloading.waitingForNetwork     | restarting.rollingBack.toFactory | failed
  verifying.hashing                 | verifying.hashing                 | deploying.undoing   | deploying.undoing | restarting.postCommands | restarting.rollingBack.toPrevious | verifying.hashing                 | restarting.rollingBack.toFactory | failed
  verifying.inspecting              | verifying.hashing                 | deploying.undoing   | deploying.undoing | restarting.postCommands | restarting.rollingBack.toPrevious | verifying.hashing                 | restarting.rollingBack.toFactory | failed
  ready.waiting                     | ready.waiting                     | deploying.undoing   | deploying.undoing | restarting.postCommands | restarting.rollingBack.toPrevious | ready.waiting                     | restarting.rollingBack.toFactory | failed
  ready.askingGuard                 | ready.askingGuard                 | deploying.undoing   | deploying.undoing | restarting.postCommands | restarting.rollingBack.toPrevious | ready.askingGuard                 | restarting.rollingBack.toFactory | failed
  deploying.rehashing               | deploying.rehashing               | deploying.undoing   | deploying.undoing | restarting.postCommands | restarting.rollingBack.toPrevious | deploying.undoing                 | restarting.rollingBack.toFactory | failed
  deploying.staging                 | deploying.staging                 | deploying.undoing   | deploying.undoing | restarting.postCommands | restarting.rollingBack.toPrevious | deploying.undoing                 | restarting.rollingBack.toFactory | failed
  deploying.stopping                | deploying.staging                 | deploying.stopping  | deploying.undoing | restarting.postCommands | restarting.rollingBack.toPrevious | deploying.undoing                 | restarting.rollingBack.toFactory | failed
  deploying.switching               | deploying.undoing                 | deploying.undoing   | deploying.undoing | restarting.postCommands | restarting.rollingBack.toPrevious | deploying.undoing                 | restarting.rollingBack.toFactory | failed
  deploying.undoing                 | deploying.undoing                 | deploying.undoing   | deploying.undoing | deploying.undoing       | deploying.undoing                 | deploying.undoing                 | restarting.rollingBack.toFactory | failed
  restarting.postCommands           | failed                            | deploying.undoing   | deploying.undoing | restarting.postCommands | restarting.rollingBack.toPrevious | restarting.rollingBack.toPrevious | restarting.rollingBack.toFactory | failed
  restarting.starting               | failed                            | deploying.undoing   | deploying.undoing | restarting.postCommands | restarting.rollingBack.toPrevious | restarting.rollingBack.toPrevious | restarting.rollingBack.toFactory | failed
  restarting.settling               | failed                            | deploying.undoing   | deploying.undoing | restarting.postCommands | restarting.rollingBack.toPrevious | restarting.rollingBack.toPrevious | restarting.rollingBack.toFactory | failed
  restarting.committing             | failed                            | deploying.undoing   | deploying.undoing | restarting.postCommands | restarting.rollingBack.toPrevious | restarting.rollingBack.toPrevious | restarting.rollingBack.toFactory | failed
  restarting.rollingBack.toPrevious | failed                            | restarting.rollingBack.toPrevious | restarting.rollingBack.toPrevious | restarting.rollingBack.toPrevious | restarting.rollingBack.toPrevious | restarting.rollingBack.toPrevious | restarting.rollingBack.toFactory | failed
  restarting.rollingBack.toFactory  | failed                            | restarting.rollingBack.toPrevious | restarting.rollingBack.toPrevious | restarting.rollingBack.toPrevious | restarting.rollingBack.toPrevious | restarting.rollingBack.toFactory  | restarting.rollingBack.toFactory | failed
  done                              | done                              | deploying.undoing   | deploying.undoing | restarting.postCommands | restarting.rollingBack.toPrevious | deploying.undoing                 | restarting.rollingBack.toFactory | failed
  failed                            | failed                            | deploying.undoing   | deploying.undoing | restarting.postCommands | restarting.rollingBack.toPrevious | failed                            | restarting.rollingBack.toFactory | failed
`;

const lastResort = (phase: JournalPhase) =>
  journal(phase, { purpose: 'factory', to: { id: 'f', version: '0.0.0' } });

const PHASES = ['stopping', 'switching', 'switched', 'undoing', 'undone'] as const;
const FOUND: [string, UpdateEvent[]][] = [
  ['none', [restored()]],
  ...PHASES.map((phase): [string, UpdateEvent[]] => [phase, [restored({ journal: journal(phase) })]]),
  ['factory', (['stopping', 'switching'] as const).map((phase) => restored({ journal: lastResort(phase) }))],
  ['unreadable', [restored({ journal: 'unreadable', current: WANTED.id, restores: 50 })]],
];

const after = async (state: LeafState, event: UpdateEvent) =>
  restart((await machineIn(state)).saved(), event);

describe('after a restart', () => {
  const rows = rowsOf(TABLE);

  test('every state on disk and every phase of the journal is told', () => {
    expect(rows.map((row) => row['state on disk'])).toEqual(['lost', ...LEAF_STATES]);
    expect(Object.keys(rows[0] ?? {}).slice(1)).toEqual(FOUND.map(([name]) => name));
  });

  for (const state of ['lost' as const, ...LEAF_STATES]) {
    const row = rows.find((one) => one['state on disk'] === state) ?? {};
    for (const [phase, events] of FOUND) {
      test(`${state} with journal ${phase} leads to ${row[phase] ?? '?'}, and settles [M-31, M-32, M-33, M-34, M-35, M-36, M-39, M-43, M-47]`, async () => {
        const saved = state === 'lost' ? undefined : (await machineIn(state)).saved();
        for (const event of events) {
          const machine = restart(saved, event);
          expect(machine.state).toBe(row[phase]);
          await machine.settle();
          expect(['idle', 'ready.waiting', 'done', 'failed']).toContain(machine.state);
          expect(machine.status).toBe('active');
        }
      });
    }
  }

  test('the journal outranks a package that is gone, a trust that ran out and a download that is stuck [M-31]', async () => {
    const late = { at: at(30 * HOUR_MS), packageOnDisk: false, restores: 50 };
    for (const state of [
      'ready.waiting',
      'downloading.transferring',
      'verifying.hashing',
      'deploying.staging',
    ] as const) {
      const machine = await after(state, restored({ ...late, journal: journal('switching') }));
      expect(machine.state).toBe('deploying.undoing');
    }
    const own = await after('deploying.staging', restored({ ...late, journal: journal('undone') }));
    expect(own.state).toBe('deploying.undoing');
  });

  test('a journal that was told and is not tidied away yet does not fail the order that came after it', async () => {
    const cause = { code: 'HEALTH_CHECK_FAILED', message: 'of the update before' } as const;
    const told = [
      { journal: journal('undone', { cause }) },
      { journal: journal('switched', { cause, purpose: 'factory' }), current: WANTED.id },
    ];
    for (const facts of told) {
      const machine = await after('downloading.backingOff', restored(facts));
      await machine.settle();
      expect([machine.state, machine.context.failure]).toEqual(['ready.waiting', null]);
      for (const [state, late, code] of [
        ['ready.waiting', { packageOnDisk: false }, 'PACKAGE_NOT_FOUND'],
        ['ready.waiting', { at: at(25 * HOUR_MS) }, 'PACKAGE_EXPIRED'],
        ['downloading.transferring', { restores: 4 }, 'DOWNLOAD_FAILED'],
        ['verifying.inspecting', { restores: 11 }, 'INTERNAL_ERROR'],
      ] as const) {
        const failed = await after(state, restored({ ...facts, ...late }));
        expect([failed.state, failed.context.failure?.code]).toEqual(['failed', code]);
      }
    }
  });

  test('a last resort whose files are in place is started and watched again, but not once its end was told', async () => {
    const found = restored({ journal: lastResort('switched'), current: 'f' });
    for (const state of LEAF_STATES) {
      // Orders that came after it, and its own end.
      const isLater = /^(?:failed|downloading|verifying|ready)/.test(state);
      const later = state === 'verifying.inspecting' ? 'verifying.hashing' : state;
      const next = isLater ? later : 'restarting.rollingBack.toFactory';
      expect([state, (await after(state, found)).state]).toEqual([state, next]);
    }
    const noVersionRuns = await machineIn('restarting.rollingBack.toFactory');
    await noVersionRuns.fail('goToFactory', 'SERVICE_START_FAILED');
    expect(restart(noVersionRuns.saved(), found).state).toBe('restarting.rollingBack.toFactory');
  });

  test('a last resort that a full disk kept from being recorded is recorded, and told in the same words', async () => {
    const found = restored({ journal: lastResort('switched'), current: LIVE.id });
    const told = await machineIn('restarting.rollingBack.toFactory');
    await told.finish('goToFactory');
    expect(told.state).toBe('failed');
    const machine = restart(told.saved(), found);
    expect(machine.state).toBe('restarting.rollingBack.toFactory');
    await machine.settle();
    expect(machine.state).toBe('failed');
    expect(machine.context.deployment).toEqual(told.context.deployment);
    expect(machine.context.failure?.message).toContain('rolled back to');
  });

  test('a journal that cannot be read is told as that, whatever was saved', async () => {
    for (const state of LEAF_STATES) {
      const machine = await after(state, restored({ journal: 'unreadable' }));
      expect(machine.context.failure).toMatchObject({
        code: 'ROLLBACK_FAILED',
        message: expect.stringContaining('its journal cannot be read'),
      });
    }
  });

  test('a switch whose journal is gone was interrupted: that is what going back is told, and what is told of it', async () => {
    const machine = await after('deploying.switching', restored());
    const words = 'interrupted by a power cut or a kill while installing';
    expect(machine.call('goBack').input).toMatchObject({ cause: { message: words } });
    await machine.settle();
    expect(machine.context.failure?.message).toContain(words);
  });

  test('a ready package that is gone or too old is failed, and is tidied away [M-44]', async () => {
    const gone = await after('ready.waiting', restored({ packageOnDisk: false }));
    expect(gone.context.failure?.code).toBe('PACKAGE_NOT_FOUND');
    const old = await after('ready.waiting', restored({ at: at(25 * HOUR_MS) }));
    expect(old.context.failure?.code).toBe('PACKAGE_EXPIRED');
    for (const machine of [gone, old]) {
      expect(machine.state).toBe('failed');
      expect(machine.call('tidy').input).toMatchObject({ kept: 'nothing' });
    }
  });

  test('a download gives up after three restores that brought no byte [M-42]', async () => {
    expect((await after('downloading.transferring', restored({ restores: 3 }))).state).toBe(
      'downloading.transferring',
    );
    const machine = await after('downloading.backingOff', restored({ restores: 4 }));
    expect(machine.state).toBe('failed');
    expect(machine.context).toMatchObject({ failure: { code: 'DOWNLOAD_FAILED' }, kept: 'partial' });
  });

  test('a step that ends the updater each time is given up, with nothing changed [M-50]', async () => {
    for (const state of [
      'verifying.hashing',
      'verifying.inspecting',
      'deploying.rehashing',
      'deploying.staging',
      'deploying.stopping',
    ] as const) {
      const machine = await after(state, restored({ restores: 11 }));
      expect(machine.state).toBe('failed');
      expect(machine.context.failure?.message).toBe(
        'the updater was restarted 11 times in a row at the same step',
      );
    }
    const stopping = await after(
      'deploying.stopping',
      restored({ restores: 11, journal: journal('stopping') }),
    );
    expect(stopping.state).toBe('deploying.undoing');
  });

  test('the third restore in restarting rolls back, and the version is bad [M-48]', async () => {
    const found = (restores: number) => restored({ restores, journal: journal('switched') });
    expect((await after('restarting.settling', found(2))).state).toBe('restarting.postCommands');
    const machine = await after('restarting.settling', found(3));
    expect(machine.state).toBe('restarting.rollingBack.toPrevious');
    await machine.settle();
    expect(machine.context.failure).toEqual({
      code: 'HEALTH_CHECK_FAILED',
      message:
        'the device was restarted again and again before the new version had settled; rolled back to 1.0.0',
      progress: 0,
    });
    expect(machine.context.deployment).toMatchObject({ provenBad: true, to: WANTED });
  });

  test('restarting with no journal and the wanted release live was committed: done, and success is told [M-37]', async () => {
    for (const state of ['restarting.committing', 'restarting.rollingBack.toPrevious'] as const) {
      const machine = await after(state, restored({ current: WANTED.id, at: at(5000) }));
      expect(machine.state).toBe('done');
      expect(machine.reports.at(-1)).toMatchObject({ stage: 'success', progress: 100, error: null });
      expect(machine.context).toMatchObject({ failure: null, kept: 'nothing' });
      expect(machine.call('watchDone').input).toEqual({ doneFor: { countedMs: 0, asOf: at(5000) } });
    }
  });

  test('what a commit had to tell is told, once, also where it was cut before that was saved', async () => {
    const notices = ['a was kept as b'];
    const machine = await after('restarting.committing', restored({ current: WANTED.id, notices }));
    expect(machine.context.notices).toEqual(notices);
    expect(machine.reports.at(-1)?.message).toContain('; a was kept as b');
    const elsewhere = await after('restarting.committing', restored({ current: LIVE.id, notices }));
    expect(elsewhere.context.notices).toEqual([]);
  });

  test('restarting with no journal and another release live was rolled back: failed [M-37]', async () => {
    const machine = await after('restarting.committing', restored({ current: LIVE.id }));
    expect(machine.context.failure?.message).toBe(
      'interrupted by a power cut or a kill while installing; rolled back',
    );
    const known = await after('restarting.rollingBack.toPrevious', restored({ current: LIVE.id }));
    expect(known.context.failure?.message).toBe('words; rolled back');
  });

  test('the journal’s words are taken up where the state is lost', async () => {
    const cause = { code: 'HEALTH_CHECK_FAILED', message: 'voice-app exited 1' } as const;
    const machine = restart(undefined, restored({ journal: journal('undoing', { cause }) }));
    expect(machine.call('goBack').input).toEqual({ cause: { ...cause, progress: 0 } });
    await machine.finish('goBack');
    expect(machine.reports).toEqual([
      { stage: 'rebooting', progress: 0, message: 'Restarting services...', error: null },
      {
        stage: 'failed',
        progress: 0,
        message: 'Update failed',
        error: 'HEALTH_CHECK_FAILED: voice-app exited 1; rolled back to 1.0.0',
      },
    ]);
    expect(machine.context.deployment).toMatchObject({ purpose: 'update', to: WANTED, from: LIVE });
  });

  test('the journal’s deployment replaces one of another version, and an old failure is forgotten going forward', async () => {
    const other = journal('switched', { to: { id: 'r9', version: '9.0.0' }, purpose: 'rollback' });
    const machine = await after('failed', restored({ journal: other }));
    expect(machine.context.deployment).toEqual({
      purpose: 'rollback',
      to: { id: 'r9', version: '9.0.0' },
      from: LIVE,
      identity: null,
      provenBad: false,
    });
    await machine.settle();
    expect(machine.path.at(-1)).toBe('done');
    expect(machine.context.failure).toBeNull();
  });

  test('a way back that failed before is tried again, and its words do not pile up', async () => {
    const cause = { code: 'HEALTH_CHECK_FAILED', message: 'voice-app exited 1' } as const;
    const found = restored({ journal: journal('undoing', { cause }) });
    let machine = await machineIn('restarting.rollingBack.toFactory');
    await machine.fail('goToFactory', 'DEPLOYMENT_FAILED');
    for (let boot = 0; boot < 3; boot++) {
      machine = restart(machine.saved(), found);
      await machine.fail('goBack', 'SERVICE_START_FAILED', {}, 'a');
      await machine.fail('goToFactory', 'DEPLOYMENT_FAILED', {}, 'b');
    }
    expect(machine.context.failure).toMatchObject({
      code: 'ROLLBACK_FAILED',
      message:
        'HEALTH_CHECK_FAILED: voice-app exited 1; going back failed (SERVICE_START_FAILED: a); no version runs (DEPLOYMENT_FAILED: b)',
    });
    machine = await restart(machine.saved(), found).finish('goBack');
    expect(machine.context.failure?.code).toBe('HEALTH_CHECK_FAILED');
  });
});
