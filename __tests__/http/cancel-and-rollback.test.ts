import { afterEach, describe, expect, test } from '@jest/globals';
import { UpdateError } from '../../machines/errors.js';
import { STAGES, topStateOf, type TopState } from '../../machines/stage.js';
import { closeBenches, openBench } from '../support/http-bench.js';
import { until } from '../support/until.js';
import { ORDER, STATE_PATHS } from '../support/machine-states.js';

afterEach(closeBenches);

const BUSY = (state: TopState) => ({
  code: 409,
  msg: expect.stringMatching(/^OPERATION_IN_PROGRESS: the updater is /),
  stage: STAGES[state],
  progress: expect.any(Number),
});

describe.each(STATE_PATHS)('POST /cancel in %s [W-79]', (path) => {
  const state = topStateOf(path);

  if (['downloading', 'verifying', 'ready'].includes(state)) {
    test('stops what is going on, and the machine goes to idle [W-77]', async () => {
      const bench = await openBench(path);
      expect(await bench.post('/cancel', {})).toEqual({
        code: 200,
        msg: 'success',
        data: { status: 'idle' },
      });
      expect(bench.path()).toBe('idle');
    });
  } else if (['deploying', 'restarting'].includes(state)) {
    test('is refused', async () => {
      const bench = await openBench(path);
      expect(await bench.post('/cancel', {})).toEqual(BUSY(state));
      expect(bench.path()).toBe(path);
    });
  } else {
    test('has nothing to cancel and changes nothing [W-78]', async () => {
      const bench = await openBench(path);
      expect(await bench.post('/cancel', {})).toEqual({
        code: 200,
        msg: 'nothing to cancel',
        data: { status: STAGES[state] },
      });
      expect(bench.path()).toBe(path);
    });
  }
});

describe('POST /cancel', () => {
  test('takes no body for an empty one', async () => {
    const bench = await openBench('downloading.transferring');
    const { json } = await bench.call({ method: 'POST', path: '/api/v1.0/cancel' });
    expect(json).toMatchObject({ code: 200, data: { status: 'idle' } });
  });

  test('answers only once the state is on disk, and 500 when that fails [M-19]', async () => {
    const bench = await openBench('downloading.transferring');
    bench.updater.saves.close();
    const answer = bench.post('/cancel', {});
    await until('the save has begun', () => bench.updater.saves.waiting === 1);
    bench.updater.saves.fail(new UpdateError('DISK_FULL', 'no room'));
    expect(await answer).toEqual({ code: 500, msg: 'DISK_FULL: no room' });
  });
});

describe.each(STATE_PATHS)('POST /rollback in %s [W-81]', (path) => {
  const state = topStateOf(path);

  if (['idle', 'done', 'failed'].includes(state)) {
    test.each([
      ['previous', { id: 'release-1.0.0', version: '1.0.0' }],
      ['factory', { id: 'as-found', version: '0.0.0' }],
    ])('switches to the %s release [W-80]', async (to, target) => {
      const bench = await openBench(path);
      const { stageRelease } = bench.updater.machine.script;
      expect(await bench.post('/rollback', { to })).toEqual({
        code: 200,
        msg: 'success',
        data: { status: 'installing', version: target.version },
      });
      expect(bench.path()).toBe('deploying.staging');
      const from = { id: 'release-1.1.0', version: '1.1.0' };
      expect(stageRelease.inputs.at(-1)?.deployment).toMatchObject({ purpose: 'rollback', to: target, from });
    });

    test.each(['previous', 'factory'] as const)(
      'answers 404 where there is no %s release [W-82]',
      async (to) => {
        const bench = await openBench(path);
        bench.updater.store = { ...bench.updater.store, [to]: null };
        expect(await bench.post('/rollback', { to })).toEqual({
          code: 404,
          msg: `PACKAGE_NOT_FOUND: there is no ${to} release on this device`,
        });
        expect(bench.path()).toBe(path);
      },
    );

    test('answers 404 where the release is the one that is live [W-82]', async () => {
      const bench = await openBench(path);
      bench.updater.store = { ...bench.updater.store, factory: bench.updater.store.current };
      expect(await bench.post('/rollback', { to: 'factory' })).toEqual({
        code: 404,
        msg: 'PACKAGE_NOT_FOUND: the factory release 1.1.0 is the one that is live',
      });
      expect(bench.path()).toBe(path);
    });
  } else {
    test('is refused', async () => {
      const bench = await openBench(path);
      expect(await bench.post('/rollback', { to: 'previous' })).toEqual(BUSY(state));
      expect(bench.path()).toBe(path);
    });
  }
});

describe('POST /rollback', () => {
  test('goes to a release although none is live yet', async () => {
    const bench = await openBench();
    bench.updater.store = { ...bench.updater.store, current: null };
    expect(await bench.post('/rollback', { to: 'factory' })).toMatchObject({ code: 200 });
    expect(bench.updater.port.state().context.deployment?.from).toBeNull();
  });

  test('is refused when another order came while the store was read', async () => {
    const bench = await openBench();
    bench.updater.storeReads.close();
    const answer = bench.post('/rollback', { to: 'previous' });
    await until('the store is read', () => bench.updater.storeReads.waiting === 1);
    bench.updater.machine.send({ type: 'DOWNLOAD', order: ORDER });
    bench.updater.storeReads.open();
    expect(await answer).toEqual(BUSY('downloading'));
    expect(bench.path()).toBe('downloading.transferring');
  });

  test('is obeyed once when it is ordered twice at the same time', async () => {
    const bench = await openBench();
    bench.updater.storeReads.close();
    const answers = [bench.post('/rollback', { to: 'previous' }), bench.post('/rollback', { to: 'factory' })];
    await until('both read the store', () => bench.updater.storeReads.waiting === 2);
    bench.updater.storeReads.open();
    const both = await Promise.all(answers);
    expect(both).toContainEqual(expect.objectContaining({ code: 200 }));
    expect(both).toContainEqual(BUSY('deploying'));
    expect(bench.updater.machine.script.stageRelease.inputs).toHaveLength(1);
  });

  test('answers only once the state is on disk', async () => {
    const bench = await openBench();
    bench.updater.saves.close();
    let isAnswered = false;
    const answer = bench.post('/rollback', { to: 'previous' }).finally(() => (isAnswered = true));
    await until('the save has begun', () => bench.updater.saves.waiting === 1);
    await bench.get('/progress');
    expect(isAnswered).toBe(false);
    bench.updater.saves.open();
    expect(await answer).toMatchObject({ code: 200 });
  });

  test('answers 500 with the reason when the state cannot be saved', async () => {
    const bench = await openBench();
    bench.updater.saves.fail(new UpdateError('DISK_FULL', 'no room'));
    expect(await bench.post('/rollback', { to: 'previous' })).toEqual({
      code: 500,
      msg: 'DISK_FULL: no room',
    });
  });

  test('answers 500 with the reason when the store cannot be read', async () => {
    const bench = await openBench();
    bench.updater.storeReads.fail(new Error('EIO'));
    expect(await bench.post('/rollback', { to: 'previous' })).toEqual({
      code: 500,
      msg: 'INTERNAL_ERROR: EIO',
    });
    expect(bench.path()).toBe('idle');
  });
});
