import { afterEach, describe, expect, test } from '@jest/globals';
import { UpdateError } from '../../machines/errors.js';
import { topStateOf, type TopState } from '../../machines/stage.js';
import { ROUTES } from '../../http/routes.js';
import { placesOf } from '../../http/route.js';
import { closeBenches, openBench } from '../support/http-bench.js';
import { ORDER, STATE_PATHS } from '../support/machine-states.js';

afterEach(closeBenches);

const ACCEPTED: Record<TopState, string[]> = {
  idle: ['DOWNLOAD', 'ROLLBACK'],
  downloading: ['DOWNLOAD', 'CANCEL'],
  verifying: ['DOWNLOAD', 'CANCEL'],
  ready: ['DOWNLOAD', 'UPDATE', 'CANCEL'],
  deploying: [],
  restarting: [],
  done: ['DOWNLOAD', 'ROLLBACK'],
  failed: ['DOWNLOAD', 'ROLLBACK'],
};

test.each(STATE_PATHS)(
  'GET /state tells in %s where the machine is and which orders it takes [W-71]',
  async (path) => {
    const bench = await openBench(path);
    const state = topStateOf(path);
    const isAsking = path === 'ready.askingGuard';
    expect(await bench.get('/state')).toMatchObject({
      code: 200,
      data: {
        value: bench.updater.port.state().value,
        statePath: path,
        accepts: ACCEPTED[state].filter((type) => !isAsking || type !== 'UPDATE'),
      },
    });
  },
);

describe('GET /state', () => {
  test('tells since when, attempts, and the transitions that led here [W-71, W-72]', async () => {
    const bench = await openBench('downloading.backingOff');
    bench.updater.machine.send({ type: 'DOWNLOAD', order: ORDER });
    expect(await bench.get('/state')).toMatchObject({
      data: {
        since: 'T2',
        attempts: { empty: 1, total: 1, nextDelayMs: 1000 },
        transitions: [
          { id: 1, event: 'DOWNLOAD', from: 'idle', to: 'downloading.transferring' },
          { id: 2, from: 'downloading.transferring', to: 'downloading.backingOff' },
          { id: 3, event: 'DOWNLOAD', from: 'downloading.backingOff', to: 'downloading.backingOff' },
        ],
      },
    });
  });

  test('does not know since when where nothing has happened yet', async () => {
    const bench = await openBench();
    expect(await bench.get('/state')).toMatchObject({ data: { since: null, transitions: [] } });
  });

  test('shows the newest 200 transitions [W-72]', async () => {
    const bench = await openBench('downloading.transferring');
    for (let i = 0; i < 250; i++) bench.updater.machine.send({ type: 'DOWNLOAD', order: ORDER });
    const ids = bench.updater.port.transitions().map(({ id }) => expect.objectContaining({ id }));
    expect(await bench.get('/state')).toMatchObject({ data: { transitions: ids.slice(-200) } });
  });

  test('shows the package’s URL without its credentials [W-71]', async () => {
    const bench = await openBench('ready.waiting');
    expect(await bench.get('/state')).toMatchObject({
      data: { context: { order: { version: '1.2.0', url: 'https://packages.example/tope/1.2.0.zip' } } },
    });
  });

  test.each([
    'https:packages.example/x.zip?"SECRET" SECRET',
    'https://a:SECRET@packages.example/x.zip#SECRET',
  ])('shows even an odd URL without its credentials: %s', async (url) => {
    const bench = await openBench('failed');
    bench.updater.machine.send({ type: 'DOWNLOAD', order: { ...ORDER, url } });
    const { text, json } = await bench.call({ path: '/api/v1.0/state' });
    expect(json).toMatchObject({ data: { context: { order: { url: 'https://packages.example/x.zip' } } } });
    expect(text).not.toContain('SECRET');
  });
});

describe('a pre-signed URL’s credentials [W-90]', () => {
  const SECRETS = ['SECRET', 'hunter2', 'X-Signature'];
  const gets = ROUTES.filter(({ method, path }) => method === 'GET' && path !== '/events').flatMap(placesOf);

  test.each([
    'downloading.transferring',
    'verifying.hashing',
    'ready.waiting',
    'deploying.staging',
    'failed',
    'done',
  ] as const)('show in no answer in %s', async (path) => {
    const bench = await openBench(path);
    for (const place of gets) {
      const { text } = await bench.call({ path: place });
      for (const secret of SECRETS) expect(text).not.toContain(secret);
    }
  });

  test('show in no answer even where an error, a message, history or health quotes the URL', async () => {
    const bench = await openBench('downloading.transferring');
    bench.updater.board.tell(10, `fetching ${ORDER.url}`);
    bench.updater.history = [{ order: { url: ORDER.url } }];
    bench.updater.health = { ok: false, checks: { network: `cannot reach ${ORDER.url}` } };
    const texts = [await bench.call({ path: '/api/v1.0/progress' })];
    await bench.updater.machine.script.transfer.fail(
      new UpdateError('DOWNLOAD_FAILED', `HTTP 403 of ${ORDER.url}: gave up`),
    );
    for (const path of ['progress', 'state', 'history', 'healthz']) {
      texts.push(await bench.call({ path: `/api/v1.0/${path}` }));
    }
    for (const { text } of texts) {
      expect(text).toContain('https://packages.example/tope/1.2.0.zip');
      for (const secret of SECRETS) expect(text).not.toContain(secret);
    }
    expect(texts[1]?.text).toContain('HTTP 403 of https://packages.example/tope/1.2.0.zip gave up');
  });
});
