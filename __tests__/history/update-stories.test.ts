import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { Instant } from '../../machines/clock.js';
import { orderedContext } from '../../machines/new-order.js';
import type { PackageOrder } from '../../machines/package-order.js';
import { INITIAL_CONTEXT, type UpdateContext } from '../../machines/update-context.js';
import { appendHistory, readHistory } from '../../services/history/history.js';
import { UpdateStories } from '../../services/history/update-stories.js';
import { RecordingLog } from '../support/recording-log.js';
import { temporaryFolder } from '../support/temporary-folder.js';

function orderOf(version: string, md5: string): PackageOrder {
  return { version, md5: md5.repeat(32), size: 7, url: 'http://h/p?sig=SECRET', name: 'p.zip', sha256: null };
}

const FETCHING = orderedContext(orderOf('1.2.0', 'a'), INITIAL_CONTEXT);
const FETCHING_ANOTHER = orderedContext(orderOf('1.3.0', 'b'), INITIAL_CONTEXT);
const INSTALLING: UpdateContext = {
  ...FETCHING,
  attempts: { ...FETCHING.attempts, bytes: 7, total: 2 },
  deployment: {
    purpose: 'update',
    to: { id: null, version: '1.2.0' },
    from: null,
    identity: null,
    provenBad: false,
  },
};
const FAILED: UpdateContext = {
  ...INSTALLING,
  failure: { code: 'HEALTH_CHECK_FAILED', message: 'voice-app exited 1', progress: 40 },
};

async function history(): Promise<string> {
  return join(await temporaryFolder(), 'history.jsonl');
}

const SET_MS = Date.UTC(2027, 0, 1);
let now: Instant = { bootId: 'first', uptimeMs: 0, wallMs: SET_MS, wallIsPlausible: true };

function pass(ms: number): void {
  now = { ...now, uptimeMs: now.uptimeMs + ms, wallMs: now.wallMs + ms };
}

/** The stories of a process that has just started. */
async function start(path: string, saved = () => Promise.resolve()): Promise<UpdateStories> {
  const log = new RecordingLog();
  const liveVersion = () => Promise.resolve('1.1.0');
  return UpdateStories.open({ path, log, saved, liveVersion, clock: () => now });
}

/** A process that was told of an order and then lost its power. */
async function cutWhileFetching(path: string): Promise<void> {
  const stories = await start(path);
  stories.resume('idle', INITIAL_CONTEXT);
  stories.ordered('DOWNLOAD', 'device-api/2.0');
  stories.enter('idle', 'downloading', FETCHING);
  await stories.written();
}

/** Kept whole: all of them are told by one clock, which runs on over restarts. */
describe('the story of an order', () => {
  test('is there while it is under way, and tells in one row who ordered what, from which version to which', async () => {
    const path = await history();
    const stories = await start(path);
    stories.resume('idle', INITIAL_CONTEXT);
    stories.ordered('DOWNLOAD', 'device-api/2.0');
    stories.enter('idle', 'downloading', FETCHING);
    await stories.written();
    expect(await readHistory(path)).toMatchObject([{ id: 1, order: 'download', outcome: null }]);

    stories.enter('downloading', 'verifying', FETCHING);
    stories.enter('verifying', 'ready', FETCHING);
    stories.ordered('UPDATE', 'curl/8');
    stories.enter('ready', 'deploying', INSTALLING);
    stories.enter('deploying', 'restarting', INSTALLING);
    stories.enter('restarting', 'done', INSTALLING);
    stories.enter('done', 'idle', INITIAL_CONTEXT);
    await stories.written();
    const rows = await readHistory(path);
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({
      id: 1,
      order: 'update',
      from: '1.1.0',
      to: '1.2.0',
      orders: [
        { order: 'download', by: 'device-api/2.0' },
        { order: 'update', by: 'curl/8' },
      ],
      bytesFetched: 7,
      requests: 2,
      restarts: 0,
      outcome: 'success',
      error: null,
    });
    expect(rows[0]?.['ms']).toBeGreaterThanOrEqual(0);
    expect(JSON.stringify(rows)).not.toContain('SECRET');
  });

  test('goes on after a power cut, with the time that it began at', async () => {
    const path = await history();
    await cutWhileFetching(path);
    const [begun] = await readHistory(path);
    const stories = await start(path);
    stories.resume('restarting', INSTALLING);
    stories.enter('restarting', 'failed', FAILED);
    await stories.written();
    expect(await readHistory(path)).toMatchObject([
      {
        startedAt: begun?.['startedAt'],
        restarts: 1,
        outcome: 'failed',
        error: 'HEALTH_CHECK_FAILED: voice-app exited 1',
      },
    ]);
  });

  test('gets its end at the next start where the power went between the save of the end and the history', async () => {
    const path = await history();
    await cutWhileFetching(path);
    const stories = await start(path);
    stories.resume('failed', FAILED);
    await stories.written();
    expect(await readHistory(path)).toMatchObject([{ id: 1, outcome: 'failed' }]);
    const again = await start(path);
    again.resume('failed', FAILED);
    await again.written();
    expect(await readHistory(path)).toMatchObject([{ id: 1, outcome: 'failed', restarts: 1 }]);
  });

  test('ends as unknown where a restart finds the machine idle, or at work on another package', async () => {
    const path = await history();
    await cutWhileFetching(path);
    const stories = await start(path);
    stories.resume('idle', INITIAL_CONTEXT);
    stories.enter('idle', 'downloading', FETCHING);
    await stories.written();
    const again = await start(path);
    again.resume('downloading', FETCHING_ANOTHER);
    await again.written();
    expect(await readHistory(path)).toMatchObject([
      { id: 1, to: '1.2.0', outcome: 'unknown' },
      { id: 2, to: '1.2.0', outcome: 'unknown' },
      { id: 3, to: '1.3.0', outcome: null, startedAt: null },
    ]);
  });

  test('ends as cancelled by whom, or as replaced by the order of another package', async () => {
    const path = await history();
    const stories = await start(path);
    stories.resume('idle', INITIAL_CONTEXT);
    stories.enter('idle', 'downloading', FETCHING);
    stories.enter('downloading', 'verifying', FETCHING);
    stories.enter('verifying', 'ready', FETCHING);
    stories.enter('ready', 'downloading', FETCHING_ANOTHER);
    stories.ordered('CANCEL', 'tope-updater/0.1.0');
    stories.enter('downloading', 'idle', FETCHING_ANOTHER);
    await stories.written();
    expect(await readHistory(path)).toMatchObject([
      { to: '1.2.0', outcome: 'replaced' },
      { to: '1.3.0', outcome: 'cancelled', orders: [{}, { order: 'cancel', by: 'tope-updater/0.1.0' }] },
    ]);
  });

  test('is written after the save of the state that it tells of', async () => {
    const path = await history();
    const seenWhileSaving: unknown[] = [];
    const stories = await start(path, async () => {
      // Far more turns of the event loop than writing a line takes.
      for (let look = 0; look < 20; look++) seenWhileSaving.push(...(await readHistory(path)));
    });
    stories.resume('idle', INITIAL_CONTEXT);
    stories.enter('idle', 'downloading', FETCHING);
    await stories.written();
    expect(seenWhileSaving).toEqual([]);
    expect(await readHistory(path)).toHaveLength(1);
  });

  test('is told although the state cannot be saved', async () => {
    const path = await history();
    const stories = await start(path, () => Promise.reject(new Error('EROFS')));
    stories.resume('idle', INITIAL_CONTEXT);
    stories.enter('idle', 'downloading', FETCHING);
    await stories.written();
    expect(await readHistory(path)).toHaveLength(1);
  });

  test('tells how long it was in each stage, the time until the order to install too', async () => {
    const path = await history();
    const stories = await start(path);
    stories.resume('idle', INITIAL_CONTEXT);
    stories.enter('idle', 'downloading', FETCHING);
    pass(4000);
    stories.enter('downloading', 'verifying', FETCHING);
    pass(300);
    stories.enter('verifying', 'downloading', FETCHING);
    pass(5000);
    stories.enter('downloading', 'verifying', FETCHING);
    pass(200);
    stories.enter('verifying', 'ready', FETCHING);
    pass(60_000);
    stories.enter('ready', 'deploying', INSTALLING);
    await stories.written();
    const stageMs = { downloading: 9000, verifying: 500, toInstall: 60_000 };
    const installing = [{ stageMs, stageNow: { stage: 'installing', since: now } }];
    expect(await readHistory(path)).toMatchObject(installing);
    pass(90);
    stories.enter('deploying', 'restarting', INSTALLING);
    await stories.written();
    // Services are down: what can wait is not written.
    expect(await readHistory(path)).toMatchObject(installing);
    pass(5100);
    stories.enter('restarting', 'done', INSTALLING);
    pass(65_000);
    stories.enter('done', 'idle', INITIAL_CONTEXT);
    await stories.written();
    const [row] = await readHistory(path);
    expect(row).toMatchObject({ outcome: 'success', stageNow: null });
    expect(row?.['stageMs']).toEqual({ ...stageMs, installing: 90, rebooting: 5100 });
  });

  test('counts a stage on over power cuts, by the boot’s own clock or by one that is set', async () => {
    const path = await history();
    await cutWhileFetching(path);
    pass(1000);
    now = { ...now, wallMs: 0, wallIsPlausible: false };
    const sameBoot = await start(path);
    sameBoot.resume('downloading', FETCHING);
    await sameBoot.written();
    expect(await readHistory(path)).toMatchObject([{ restarts: 1, stageMs: { downloading: 1000 } }]);
    pass(500);
    now = { bootId: 'second', uptimeMs: 700, wallMs: SET_MS, wallIsPlausible: true };
    const otherBoot = await start(path);
    otherBoot.resume('downloading', FETCHING);
    await otherBoot.written();
    expect(await readHistory(path)).toMatchObject([{ restarts: 2, stageMs: { downloading: 1700 } }]);
    now = { bootId: 'third', uptimeMs: 10, wallMs: SET_MS + 9000, wallIsPlausible: true };
    const stories = await start(path);
    stories.resume('failed', FAILED);
    await stories.written();
    const [row] = await readHistory(path);
    expect(row).toMatchObject({ outcome: 'failed', restarts: 3 });
    expect(row?.['stageMs']).toEqual({ downloading: 10_700 });
  });

  test.each([
    ['an older updater', {}],
    ['a pen that slipped', { stageMs: { downloading: 'long', lunch: 3 }, stageNow: { stage: 'lunch' } }],
  ])('goes on where %s has written of it', async (_, times) => {
    const path = await history();
    await cutWhileFetching(path);
    const [begun] = await readHistory(path);
    await appendHistory(path, { ...begun, stageMs: undefined, stageNow: undefined, ...times });
    const stories = await start(path);
    stories.resume('downloading', FETCHING);
    pass(800);
    stories.enter('downloading', 'verifying', FETCHING);
    await stories.written();
    const rows = await readHistory(path);
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({ restarts: 1, outcome: null });
    expect(rows[0]?.['stageMs']).toEqual({ downloading: 800 });
  });

  test('counts on after rows of an older updater, which stay as they are', async () => {
    const path = await history();
    await appendHistory(path, { version: '1.0.0' });
    await cutWhileFetching(path);
    expect(await readHistory(path)).toMatchObject([{ version: '1.0.0' }, { id: 1 }]);
  });
});
