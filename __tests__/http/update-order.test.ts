import { afterEach, describe, expect, test } from '@jest/globals';
import { TRUST_MS } from '../../machines/guards.js';
import { UpdateError } from '../../machines/errors.js';
import { STAGES, topStateOf, type TopState } from '../../machines/stage.js';
import { closeBenches, openBench, type Bench } from '../support/http-bench.js';
import { until } from '../support/until.js';
import { instantAt, ORDER, STATE_PATHS } from '../support/machine-states.js';

afterEach(closeBenches);

const { version } = ORDER;

/** The wire contract's table for every state but ready. */
const REFUSALS: Record<Exclude<TopState, 'ready'>, string> = {
  idle: 'DOWNLOAD_INCOMPLETE',
  done: 'DOWNLOAD_INCOMPLETE',
  failed: 'DOWNLOAD_INCOMPLETE',
  downloading: 'DOWNLOAD_INCOMPLETE',
  verifying: 'MD5_NOT_VERIFIED',
  deploying: 'OPERATION_IN_PROGRESS',
  restarting: 'OPERATION_IN_PROGRESS',
};

/** Orders the update and answers when the machine asks the guard. */
async function orderAndAsk(bench: Bench) {
  const answer = bench.post('/update', { version });
  await until('the install guard is asked', () => bench.updater.machine.script.askGuard.isPending);
  return { answer, guard: bench.updater.machine.script.askGuard };
}

const INSTALLING = { code: 200, msg: 'success', data: { status: 'installing' } };

describe.each(STATE_PATHS)('POST /update in %s', (path) => {
  const state = topStateOf(path);
  if (state === 'ready') {
    test('answers 404 for another version and stays [W-7, W-37]', async () => {
      const bench = await openBench(path);
      expect(await bench.post('/update', { version: '1.3.0' })).toEqual({
        code: 404,
        msg: 'PACKAGE_NOT_FOUND: the package that is ready is 1.2.0, not 1.3.0',
      });
      expect(bench.path()).toBe(path);
    });
    return;
  }
  test.each([version, '1.3.0'])(
    `answers 409 ${REFUSALS[state]} for %s and stays [W-8, W-41, W-42, W-43]`,
    async (wanted) => {
      const bench = await openBench(path);
      expect(await bench.post('/update', { version: wanted })).toEqual({
        code: 409,
        msg: expect.stringContaining(`${REFUSALS[state]}: ${wanted} cannot be installed now: the updater`),
        stage: STAGES[state],
        progress: expect.any(Number),
      });
      expect(bench.path()).toBe(path);
    },
  );
});

describe('POST /update of the package that is ready', () => {
  test('answers installing when the guard says that the device is free [W-36]', async () => {
    const bench = await openBench('ready.waiting');
    const { answer, guard } = await orderAndAsk(bench);
    await guard.answer({ busy: null });
    expect(await answer).toEqual(INSTALLING);
    expect(bench.path()).toBe('deploying.rehashing');
  });

  test('answers 409 DEVICE_BUSY with the guard’s words, and the machine stays ready [W-38, W-53]', async () => {
    const bench = await openBench('ready.waiting');
    const { answer, guard } = await orderAndAsk(bench);
    await guard.answer({ busy: 'printing, 43 %' });
    expect(await answer).toEqual({
      code: 409,
      msg: 'DEVICE_BUSY: printing, 43 %',
      stage: 'toInstall',
      progress: 100,
    });
    expect(bench.path()).toBe('ready.waiting');
  });

  test('answers 409 DEVICE_BUSY when the guard gives no clear answer [D-95]', async () => {
    const bench = await openBench('ready.waiting');
    const { answer, guard } = await orderAndAsk(bench);
    await guard.fail(new Error('no answer in 3 s'));
    expect(await answer).toMatchObject({
      code: 409,
      msg: 'DEVICE_BUSY: no answer in 3 s',
      stage: 'toInstall',
    });
  });

  test('may be ordered again after a refusal [W-38]', async () => {
    const bench = await openBench('ready.waiting');
    const first = await orderAndAsk(bench);
    await first.guard.answer({ busy: 'printing' });
    expect(await first.answer).toMatchObject({ code: 409 });
    const second = await orderAndAsk(bench);
    await second.guard.answer({ busy: null });
    expect(await second.answer).toEqual(INSTALLING);
  });

  test('gives two orders at once the one answer of the guard, which is asked once', async () => {
    const bench = await openBench('ready.waiting');
    const { answer, guard } = await orderAndAsk(bench);
    const second = bench.post('/update', { version });
    await bench.get('/progress');
    await guard.answer({ busy: 'printing' });
    expect(await answer).toEqual(await second);
    expect(guard.inputs).toHaveLength(1);
  });

  test('answers 410 when it was verified 24 h ago, and again while the machine is failed for that [W-39]', async () => {
    const bench = await openBench('ready.waiting');
    bench.updater.uptimeMs = 1000 + TRUST_MS;
    const expired = {
      code: 410,
      msg: 'PACKAGE_EXPIRED: 1.2.0 was verified more than 24 h ago',
      stage: 'failed',
      progress: 100,
    };
    expect(await bench.post('/update', { version })).toEqual(expired);
    expect(bench.path()).toBe('failed');
    expect(await bench.post('/update', { version })).toEqual(expired);
    expect(await bench.post('/update', { version: '1.3.0' })).toMatchObject({
      code: 409,
      msg: expect.stringMatching(/^DOWNLOAD_INCOMPLETE/),
    });
  });

  test('still installs one that was verified 1 ms less than 24 h ago [W-39]', async () => {
    const bench = await openBench('ready.waiting');
    bench.updater.uptimeMs = 1000 + TRUST_MS - 1;
    const { answer, guard } = await orderAndAsk(bench);
    await guard.answer({ busy: null });
    expect(await answer).toEqual(INSTALLING);
  });

  test('answers 410 once the machine itself has found that the package is too old [W-39]', async () => {
    const bench = await openBench('ready.waiting');
    await bench.updater.machine.script.watchTrust.answer({ at: instantAt(1000 + TRUST_MS) });
    expect(await bench.post('/update', { version })).toMatchObject({ code: 410, stage: 'failed' });
  });

  test('answers 409 CANCELLED when a cancel comes while the guard is asked', async () => {
    const bench = await openBench('ready.waiting');
    const { answer } = await orderAndAsk(bench);
    expect(await bench.post('/cancel', {})).toMatchObject({ code: 200 });
    expect(await answer).toMatchObject({
      code: 409,
      msg: expect.stringMatching(/^CANCELLED: /),
      stage: 'idle',
    });
  });

  test('answers only once the state is on disk [W-36, M-19]', async () => {
    const bench = await openBench('ready.waiting');
    const { answer, guard } = await orderAndAsk(bench);
    bench.updater.saves.close();
    let isAnswered = false;
    const watched = answer.finally(() => (isAnswered = true));
    await guard.answer({ busy: null });
    await until('the save has begun', () => bench.updater.saves.waiting === 1);
    await bench.get('/progress');
    expect(isAnswered).toBe(false);
    bench.updater.saves.open();
    expect(await watched).toEqual(INSTALLING);
  });

  test('answers 500 with the reason when the state cannot be saved', async () => {
    const bench = await openBench('ready.waiting');
    const { answer, guard } = await orderAndAsk(bench);
    bench.updater.saves.fail(new UpdateError('DISK_FULL', '4096 bytes needed, 0 available'));
    await guard.answer({ busy: null });
    expect(await answer).toEqual({ code: 500, msg: 'DISK_FULL: 4096 bytes needed, 0 available' });
  });
});
