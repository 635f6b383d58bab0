import { afterEach, describe, expect, test } from '@jest/globals';
import { STAGES, topStateOf, type TopState } from '../../machines/stage.js';
import { UpdateError } from '../../machines/errors.js';
import { closeBenches, openBench } from '../support/http-bench.js';
import { until } from '../support/until.js';
import { ORDER, STATE_PATHS } from '../support/machine-states.js';

afterEach(closeBenches);

const SAME = {
  version: ORDER.version,
  package_url: 'https://packages.example/tope/1.2.0.zip?X-Signature=FRESH',
  package_name: ORDER.name,
  package_size: ORDER.size,
  package_md5: ORDER.md5.toUpperCase(),
};
const OTHERS = {
  'another version': { ...SAME, version: '1.3.0' },
  'another digest': { ...SAME, package_md5: 'f'.repeat(32) },
  'another size': { ...SAME, package_size: 1 },
};

/** The wire contract's table, cell by cell: the status of a 200, or the error of a 409. */
const SAME_PACKAGE: Record<TopState, string> = {
  idle: 'downloading',
  done: 'downloading',
  failed: 'downloading',
  downloading: 'downloading',
  verifying: 'verifying',
  ready: 'toInstall',
  deploying: 'OPERATION_IN_PROGRESS',
  restarting: 'OPERATION_IN_PROGRESS',
};
const ANOTHER_PACKAGE: Record<TopState, string> = {
  idle: 'downloading',
  done: 'downloading',
  failed: 'downloading',
  downloading: 'OPERATION_IN_PROGRESS',
  verifying: 'OPERATION_IN_PROGRESS',
  ready: 'downloading',
  deploying: 'OPERATION_IN_PROGRESS',
  restarting: 'OPERATION_IN_PROGRESS',
};

function answerTo(expected: string, state: TopState): unknown {
  if (expected !== 'OPERATION_IN_PROGRESS') {
    return { code: 200, msg: 'success', data: { status: expected } };
  }
  return {
    code: 409,
    msg: expect.stringMatching(/^OPERATION_IN_PROGRESS: the updater is \w+.* 1\.2\.0 \(\d+ %\)$/),
    stage: STAGES[state],
    progress: expect.any(Number),
  };
}

describe.each(STATE_PATHS)('POST /download in %s', (path) => {
  const state = topStateOf(path);
  const isFree = ['idle', 'done', 'failed'].includes(state);

  test(`answers the same package with ${SAME_PACKAGE[state]} [W-29, W-30, W-31, W-35]`, async () => {
    const bench = await openBench(path);
    expect(await bench.post('/download', SAME)).toEqual(answerTo(SAME_PACKAGE[state], state));
    expect(bench.path()).toBe(isFree ? 'downloading.transferring' : path);
  });

  test.each(Object.entries(OTHERS))(
    `answers %s with ${ANOTHER_PACKAGE[state]} [W-8, W-32, W-33, W-34, W-35]`,
    async (_, order) => {
      const bench = await openBench(path);
      const { transfer } = bench.updater.machine.script;
      const before = transfer.inputs.length;
      expect(await bench.post('/download', order)).toEqual(answerTo(ANOTHER_PACKAGE[state], state));
      if (ANOTHER_PACKAGE[state] === 'downloading') {
        const identity = {
          version: order.version,
          md5: order.package_md5.toLowerCase(),
          size: order.package_size,
        };
        expect(bench.path()).toBe('downloading.transferring');
        expect(transfer.inputs.slice(before)).toEqual([{ identity }]);
      } else {
        expect(bench.path()).toBe(path);
        expect(transfer.inputs).toHaveLength(before);
      }
    },
  );
});

describe('POST /download', () => {
  test.each(['downloading.backingOff', 'verifying.hashing'] as const)(
    'takes a fresh URL for the next attempt in %s and restarts nothing [W-30]',
    async (path) => {
      const bench = await openBench(path);
      const before = bench.updater.machine.script.transfer.inputs.length;
      await bench.post('/download', SAME);
      expect(bench.updater.port.state().context.order?.url).toBe(SAME.package_url);
      expect(bench.updater.machine.script.transfer.inputs).toHaveLength(before);
    },
  );

  test('fetches nothing when the package is ready [W-31]', async () => {
    const bench = await openBench('ready.waiting');
    const before = bench.updater.machine.script.transfer.inputs.length;
    await bench.post('/download', SAME);
    expect(bench.updater.machine.script.transfer.inputs).toHaveLength(before);
  });

  test('orders digests in lower case, and takes over every field [W-16]', async () => {
    const bench = await openBench();
    const sha256 = 'AB'.repeat(32);
    await bench.post('/download', { ...SAME, package_sha256: sha256, newer_field: { of: 'device-api' } });
    expect(bench.updater.port.state().context.order).toEqual({
      version: '1.2.0',
      url: SAME.package_url,
      name: ORDER.name,
      size: ORDER.size,
      md5: ORDER.md5,
      sha256: sha256.toLowerCase(),
    });
  });

  test.each(['idle', 'downloading.transferring', 'ready.waiting'] as const)(
    'answers in %s only once the state is on disk [W-28, M-19]',
    async (path) => {
      const bench = await openBench(path);
      bench.updater.saves.close();
      let isAnswered = false;
      const answer = bench.post('/download', SAME).finally(() => (isAnswered = true));
      await until('the save has begun', () => bench.updater.saves.waiting === 1);
      // A whole round trip of another request: had the order been answered, it would be here by now.
      await bench.get('/progress');
      expect(isAnswered).toBe(false);
      bench.updater.saves.open();
      expect(await answer).toMatchObject({ code: 200 });
    },
  );

  test('answers 500 with the reason when the state cannot be saved', async () => {
    const bench = await openBench();
    bench.updater.saves.fail(new UpdateError('DISK_FULL', '4096 bytes needed, 0 available'));
    expect(await bench.post('/download', SAME)).toEqual({
      code: 500,
      msg: 'DISK_FULL: 4096 bytes needed, 0 available',
    });
  });

  test('begins one download for two different orders at once, and refuses the other [W-33]', async () => {
    const bench = await openBench();
    const orders = [SAME, OTHERS['another version']];
    const answers = await Promise.all(orders.map((order) => bench.post('/download', order)));
    expect(answers).toContainEqual(answerTo('downloading', 'downloading'));
    expect(answers).toContainEqual(expect.objectContaining({ code: 409, stage: 'downloading' }));
    expect(bench.updater.machine.script.transfer.inputs).toHaveLength(1);
  });
});
