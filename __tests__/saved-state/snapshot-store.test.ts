import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { makeReserve } from '../../services/saved-state/reserve.js';
import {
  checksumOf,
  isSavedState,
  statePaths,
  type SavedState,
} from '../../services/saved-state/saved-state.js';
import { SnapshotStore } from '../../services/saved-state/snapshot-store.js';
import { watchSteps } from '../../services/steps.js';
import { withFailingStep } from '../support/failing-step.js';
import { RecordingLog } from '../support/recording-log.js';
import { ROOT, testIf } from '../support/requirements.js';
import { errorOf } from '../support/sample-package.js';
import { fillDisk, smallDisk } from '../support/small-disk.js';
import { temporaryFolder } from '../support/temporary-folder.js';

let tmpDir: string;
let log: RecordingLog;
let store: SnapshotStore;

beforeEach(async () => {
  tmpDir = await temporaryFolder();
  log = new RecordingLog();
  store = new SnapshotStore(tmpDir, log);
});

async function read(path = statePaths(tmpDir).state): Promise<SavedState> {
  const parsed: unknown = JSON.parse(await readFile(path, 'utf8'));
  if (!isSavedState(parsed)) throw new Error('not a saved state');
  expect(parsed.checksum).toBe(checksumOf(parsed));
  return parsed;
}

/** How often a state was written while the work was done. */
async function savesDuring(work: () => Promise<unknown>): Promise<number> {
  let saves = 0;
  watchSteps((name, moment) => {
    if (name === 'state.save' && moment === 'after') saves++;
  });
  await work().finally(() => {
    watchSteps(null);
  });
  return saves;
}

describe('the snapshot store', () => {
  test('has a snapshot on disk, whole and for root alone, once saved() answers [M-15]', async () => {
    store.queue({ n: 1 }, 'idle');
    await store.saved();
    expect((await read()).snapshot).toEqual({ n: 1 });
    expect((await stat(statePaths(tmpDir).state)).mode & 0o777).toBe(0o600);
    expect(await readdir(tmpDir)).toEqual(['state.json']);
  });

  test('answers saved() at once where nothing was queued', async () => {
    await store.saved();
    expect(await readdir(tmpDir)).toEqual([]);
  });

  test('keeps the snapshot before as .bak [M-16]', async () => {
    for (const n of [1, 2, 3]) {
      store.queue({ n }, 'idle');
      await store.saved();
    }
    expect((await read()).snapshot).toEqual({ n: 3 });
    expect((await read(statePaths(tmpDir).backup)).snapshot).toEqual({ n: 2 });
    expect((await readdir(tmpDir)).sort()).toEqual(['state.json', 'state.json.bak']);
  });

  test('writes only the newest of those that wait, and saved() answers for that one [M-17]', async () => {
    const saves = await savesDuring(async () => {
      for (let n = 0; n < 100; n++) store.queue({ n }, 'idle');
      await store.saved();
    });
    expect((await read()).snapshot).toEqual({ n: 99 });
    expect(saves).toBe(1);
  });

  test('saves what is queued while another is being written, in a turn of its own', async () => {
    const saves = await savesDuring(async () => {
      store.queue({ n: 1 }, 'idle');
      const first = store.saved();
      await new Promise((resolve) => setImmediate(resolve));
      store.queue({ n: 2 }, 'idle');
      await first;
      await store.saved();
    });
    expect((await read()).snapshot).toEqual({ n: 2 });
    expect(saves).toBe(2);
  });

  test('does not write the same snapshot twice', async () => {
    const saves = await savesDuring(async () => {
      for (let n = 0; n < 3; n++) {
        store.queue({ n: 1 }, 'idle');
        await store.saved();
      }
    });
    expect(saves).toBe(1);
  });

  test('keeps the count of restores for as long as the machine is in that state', async () => {
    const restores = { state: 'downloading', count: 2, bytes: 7 };
    store.countRestores(restores);
    store.queue({ n: 1 }, 'downloading');
    await store.saved();
    expect((await read()).restores).toEqual(restores);
    store.queue({ n: 2 }, 'verifying');
    await store.saved();
    expect((await read()).restores.count).toBe(0);
  });

  test('saves nothing any more once it is closed', async () => {
    store.queue({ n: 1 }, 'idle');
    await store.saved();
    store.close();
    store.queue({ n: 2 }, 'idle');
    await store.saved();
    expect((await read()).snapshot).toEqual({ n: 1 });
  });

  test('rejects saved() where it failed, keeps the state before, and saves the next', async () => {
    store.queue({ n: 1 }, 'idle');
    await store.saved();
    await withFailingStep({ names: ['state.save'], code: 'EIO' }, async () => {
      store.queue({ n: 2 }, 'idle');
      expect((await errorOf(store.saved())).line).toBe(
        'INTERNAL_ERROR: the state could not be saved: EIO: state.save',
      );
    });
    expect((await read()).snapshot).toEqual({ n: 1 });
    expect(log.lines).toEqual(['error the state could not be saved why=EIO: state.save']);
    store.queue({ n: 3 }, 'idle');
    await store.saved();
    expect((await read()).snapshot).toEqual({ n: 3 });
  });

  test('saves a snapshot that failed when it is queued again', async () => {
    await withFailingStep({ names: ['state.save'], code: 'EIO' }, async () => {
      store.queue({ n: 1 }, 'idle');
      await errorOf(store.saved());
    });
    store.queue({ n: 1 }, 'idle');
    await store.saved();
    expect((await read()).snapshot).toEqual({ n: 1 });
  });

  test('tries again at each saved() what could not be saved, and says why once', async () => {
    await withFailingStep({ names: ['state.save'], code: 'EIO', times: 3 }, async () => {
      store.queue({ n: 1 }, 'idle');
      for (let i = 0; i < 3; i++) expect((await errorOf(store.saved())).code).toBe('INTERNAL_ERROR');
      await store.saved();
      expect((await read()).snapshot).toEqual({ n: 1 });
    });
    expect(log.lines).toEqual(['error the state could not be saved why=EIO: state.save']);
    expect(await savesDuring(() => store.saved())).toBe(0);
  });

  test('tries nothing again once it is closed', async () => {
    await withFailingStep({ names: ['state.save'], code: 'EIO' }, async () => {
      store.queue({ n: 1 }, 'idle');
      await errorOf(store.saved());
    });
    store.close();
    expect((await errorOf(store.saved())).code).toBe('INTERNAL_ERROR');
    expect(await readdir(tmpDir)).toEqual([]);
  });

  test('says DISK_FULL where nothing is left to give up', async () => {
    await withFailingStep({ names: ['state.save'], code: 'ENOSPC' }, async () => {
      store.queue({ n: 1 }, 'idle');
      expect((await errorOf(store.saved())).code).toBe('DISK_FULL');
    });
  });
});

describe('the reserve', () => {
  test('is made once, and made again where it was given up [M-23]', async () => {
    await makeReserve(tmpDir, log);
    const { ino } = await stat(join(tmpDir, 'reserve'));
    await makeReserve(tmpDir, log);
    expect(await stat(join(tmpDir, 'reserve'))).toMatchObject({ ino, size: 256 * 1024 });
  });

  testIf(
    ROOT,
    'is given up on a full disk: the state is saved, and the step is told all the same [M-23]',
    async () => {
      const disk = await smallDisk('1m');
      await makeReserve(disk, log);
      await fillDisk(disk, 0);
      const full = new SnapshotStore(disk, log);
      full.queue({ n: 1 }, 'deploying');
      expect((await errorOf(full.saved())).code).toBe('DISK_FULL');
      expect((await read(statePaths(disk).state)).snapshot).toEqual({ n: 1 });
      expect(await readdir(disk)).not.toContain('reserve');
      // What follows (that it failed, why, and what is undone) finds room.
      full.queue({ n: 2 }, 'failed');
      await full.saved();
      expect((await read(statePaths(disk).state)).snapshot).toEqual({ n: 2 });
    },
  );

  testIf(ROOT, 'that finds no room is a warning and no error', async () => {
    const disk = await smallDisk('64k');
    await makeReserve(disk, log);
    expect(log.lines).toEqual([expect.stringContaining('warn no room can be held in reserve')]);
    expect(await readdir(disk)).toEqual([]);
  });
});
