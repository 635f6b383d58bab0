import { afterEach, describe, expect, test } from '@jest/globals';
import { FIRST_WORDS, STAGES, topStateOf } from '../../machines/stage.js';
import { closeBenches, openBench } from '../support/http-bench.js';
import { STATE_PATHS } from '../support/machine-states.js';

afterEach(closeBenches);

describe.each(STATE_PATHS.filter((path) => path !== 'failed'))('GET /progress in %s', (path) => {
  const state = topStateOf(path);

  test('tells the stage and its first words', async () => {
    const bench = await openBench(path);
    const { percent, message } = FIRST_WORDS[state];
    expect(await bench.get('/progress')).toEqual({
      code: 200,
      msg: 'success',
      data: { stage: STAGES[state], progress: percent, message, error: null },
    });
  });
});

describe('GET /progress', () => {
  test('tells how far the stage is [W-45]', async () => {
    const bench = await openBench('downloading.transferring');
    bench.updater.board.tell(45.9, 'Downloading package... 47.2 MB / 104.9 MB');
    expect(await bench.get('/progress')).toEqual({
      code: 200,
      msg: 'success',
      data: {
        stage: 'downloading',
        progress: 45,
        message: 'Downloading package... 47.2 MB / 104.9 MB',
        error: null,
      },
    });
  });

  test('tells a failed update as 500, with the error and where it stopped [W-6, W-47, W-48]', async () => {
    const bench = await openBench('failed');
    const error = 'DOWNLOAD_FAILED: HTTP 404 of packages.example';
    expect(await bench.call({ path: '/api/v1.0/progress' })).toMatchObject({ status: 200 });
    expect(await bench.get('/progress')).toEqual({
      code: 500,
      msg: `Update failed: ${error}`,
      stage: 'failed',
      progress: 42,
      data: { stage: 'failed', progress: 42, message: 'Update failed', error },
    });
  });

  test('tells in failed exactly what device-api is told [W-59]', async () => {
    const bench = await openBench('failed');
    const report = bench.updater.port.state().context.outbox.waiting.at(-1);
    const { stage, progress, message, error } = report ?? {};
    expect(await bench.get('/progress')).toMatchObject({ data: { stage, progress, message, error } });
  });

  test('has exactly the bytes of the contract, and its fields in their order [W-5, W-45, W-48, W-53]', async () => {
    const bench = await openBench();
    const { text, headers } = await bench.call({ path: '/api/v1.0/progress' });
    expect(text).toBe(
      '{"code":200,"msg":"success","data":{"stage":"idle","progress":0,"message":"No update in progress","error":null}}',
    );
    expect(headers['content-type']).toBe('application/json; charset=utf-8');
  });
});

test('GET / gives the old sign of life [W-15]', async () => {
  const bench = await openBench('verifying.hashing');
  const { status, json } = await bench.call({ path: '/' });
  expect(status).toBe(200);
  expect(json).toEqual({ status: 'ok', service: 'tope-updater', stage: 'verifying' });
});
