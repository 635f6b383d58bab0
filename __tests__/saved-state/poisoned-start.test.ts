import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { BuiltPackage } from '../support/build-package.js';
import { Device } from '../support/device.js';
import { until } from '../support/until.js';
import { URL_SECRET } from '../support/package-server.js';
import { POISONS, type Poison, type SavedTexts } from '../support/poisoned-states.js';
import { treeOf } from '../support/file-tree.js';
import { accepted } from '../support/updater-caller.js';

const PARTIAL = `${'ab'.repeat(16)}-1000.zip.part`;

let device: Device;
let saved: SavedTexts;
/** What every start has to take an order for. */
let next: BuiltPackage;

const tmp = (name: string) => join(device.workDir, 'tmp', name);
const state = () => tmp('state.json');
const backup = () => tmp('state.json.bak');
const aside = () => device.tmp().filter((name) => name.includes('.corrupt-'));
const build = (version: string) =>
  device.build({
    version,
    modules: [
      { name: 'app', dst: device.path('app/app'), brings: { bytes: `program ${version}`, mode: 0o755 } },
    ],
  });

/** Saves real states, of a download that is held and of a package that is ready. */
beforeAll(async () => {
  device = await Device.on({ life: 'file' });
  device.put('app/user.cfg', 'mine');
  const victim = { name: 'victim', size: 5 };
  writeFileSync(join(device.folder, `${victim.name}-${victim.size}.zip`), 'dear!');
  await device.install(build('1.0.0'));
  await device.isTidy();
  next = build('1.1.0');
  const { release } = device.server.holdAfter(0);
  await device.download(next);
  await device.isIn('downloading.transferring');
  const downloading = readFileSync(state(), 'utf8');
  release();
  await device.reaches('toInstall');
  const ready = await until('it is saved that the package is ready', () => {
    const now = readFileSync(state(), 'utf8');
    return now.includes('"value":{"ready":"waiting"}') ? now : null;
  });
  saved = { downloading, ready, victim };
});

/**
 * Kills the updater, puts poisons in the places of the state files, with a partial of some download beside, and starts
 * it again; answers with its ERROR lines.
 */
async function startWith(put: () => void): Promise<string[]> {
  await device.updater.end('SIGKILL');
  for (const path of [state(), backup()]) rmSync(path, { recursive: true, force: true });
  writeFileSync(tmp(PARTIAL), 'bytes of nobody knows what');
  put();
  const logged = device.log().length;
  await device.start();
  return until('the start is in the log', () => {
    const lines = device.log().slice(logged).split('\n');
    if (!lines.some((line) => line.includes('the updater listens'))) return null;
    return lines.filter((line) => / ERROR /.test(line));
  });
}

/** All but the updater's own tmp/ and logs/; its store too must be as it was. */
/** The lock has another name with each start. */
const LOCK = /\/lock\.[0-9a-f]+$/;

async function everythingElse(): Promise<Record<string, string>> {
  const tree = await treeOf([device.folder], ['tmp', 'logs', 'packages']);
  return Object.fromEntries(Object.entries(tree).filter(([path]) => !LOCK.test(path)));
}

async function expectNextOrderIsTaken(): Promise<void> {
  accepted(await device.download(next));
  await device.reaches('toInstall');
}

/** Each poison is put in once, two of them at each start: what cannot be used leads on to the one before it. */
const HALF = Math.ceil(POISONS.length / 2);
const PAIRS = POISONS.slice(0, HALF).map((poison, at): [string, Poison, Poison] => {
  const second = POISONS[HALF + at] ?? poison;
  return [`${poison.what}, and in place of the one before it: ${second.what}`, poison, second];
});

describe('in place of the saved state', () => {
  test.each(PAIRS)(
    '%s: starts, one clear line, nothing touched, the next order is taken [M-26, M-27]',
    async (...row) => {
      const [, first, second] = row;
      const before = await everythingElse();
      const errors = await startWith(() => {
        first.put(state(), saved);
        second.put(backup(), saved);
      });
      expect(errors).toHaveLength(1);
      const [inState = '', inBackup = ''] = (errors[0] ?? '').split(`; ${backup()}: `);
      expect(inState).toContain(`${state()}: `);
      expect(inState).toMatch(first.why);
      expect(inBackup).toMatch(second.why);
      expect(errors[0]).not.toContain(URL_SECRET);
      await device.isIn('idle');
      await until('the partial is gone', () => !existsSync(tmp(PARTIAL)));
      expect(await everythingElse()).toEqual(before);
      await expectNextOrderIsTaken();
      expect(aside().length).toBeLessThanOrEqual(3);
    },
  );
});

describe('beside a saved state', () => {
  test('a good backup stands in for a state that cannot be used, which is put aside; three such stay', async () => {
    const before = aside();
    const errors = await startWith(() => {
      rmSync(tmp(`${next.md5}-${next.size}.zip`));
      writeFileSync(backup(), saved.ready);
      writeFileSync(state(), saved.ready.slice(0, -3));
    });
    // The package that it tells of is not there, so that its order fails; it is not forgotten.
    expect(errors).toEqual([
      expect.stringMatching(/the one before it is .*state\.json: it is not JSON/),
      expect.stringContaining('the order failed'),
    ]);
    await device.isIn('failed');
    expect((await device.progress()).error).toMatch(/^PACKAGE_NOT_FOUND: /);
    expect(aside()).toEqual([...before.slice(1), expect.anything()]);
    expect(aside()).toHaveLength(3);
    expect(readFileSync(tmp(aside()[2] ?? ''), 'utf8')).toBe(saved.ready.slice(0, -3));
    await expectNextOrderIsTaken();
  });

  test('folders in the places of the backup, of the reserve and of what is being written do not keep the next update from success [M-27]', async () => {
    const errors = await startWith(() => {
      writeFileSync(state(), saved.downloading);
      for (const name of ['state.json.bak', 'state.json.bak.tmp', '.state.json.tmp', 'reserve']) {
        rmSync(tmp(name), { recursive: true, force: true });
        mkdirSync(join(tmp(name), 'inside'), { recursive: true });
      }
    });
    expect(errors).toEqual([expect.stringContaining(`${backup()}: it is no regular file`)]);
    await device.reaches('toInstall');
    accepted(await device.update(next.version));
    await device.reaches('success');
    expect(device.read('app/app')).toBe('program 1.1.0');
    expect(device.read('app/user.cfg')).toBe('mine');
  });
});
