import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { BuiltPackage, Source } from '../support/build-package.js';
import { Device } from '../support/device.js';
import { factsOf, readTree, sha256Of, type FileFacts } from '../support/file-tree.js';
import { nodeProgram, realLibraries, type RealFile } from '../support/real-files.js';

/** Far above what an answer takes; a machine that has other things to do may be late once in a while. */
const ANSWER_WITHIN_MS = { nearlyAlways: 250, always: 2000 };

let device: Device;
let whole: BuiltPackage;
let program: RealFile;
let libraries: RealFile[];
let before: Record<string, FileFacts>;
let answersMs: number[] = [];

beforeAll(async () => {
  device = await Device.on({ life: 'file' });
  device.put('app/settings.ini', 'volume = 11\n', 0o640);
  device.put('app/lib/of-the-user.so', 'not of any package');
  device.put('data/print-1.gcode', 'G28\n');
  before = await readTree(device.root);
  program = nodeProgram();
  // Some libraries in any case: node alone is large enough in some versions.
  libraries = realLibraries(Math.max(20_000_000, 150_000_000 - 1.3 * program.size));
  whole = device.build({
    version: '1.0.0',
    modules: [
      { name: 'node', dst: device.path('app/bin/node'), brings: { from: program.path, mode: 0o755 } },
      { name: 'libraries', dst: device.path('app/lib'), brings: new Map(libraries.map(asSource)) },
    ],
  });
  answersMs = await whilePolling(() => device.install(whole));
  await device.isTidy();
}, 60_000);

function asSource({ path }: RealFile, at: number): [string, Source] {
  return [basename(path), { from: path, deflated: true, mode: at === 0 ? 0o755 : 0o644 }];
}

/** Asks for /progress every 15 ms while something goes on; answers with how long each answer took, sorted. */
async function whilePolling(work: () => Promise<void>): Promise<number[]> {
  const times: number[] = [];
  let isOver = false;
  const poll = async (): Promise<void> => {
    while (!isOver) {
      const began = performance.now();
      await device.progress();
      times.push(performance.now() - began);
      await wait(15);
    }
  };
  const polling = poll();
  await work();
  isOver = true;
  await polling;
  return times.sort((a, b) => a - b);
}

describe('a package of more than 100 MB of real files, from the order to success', () => {
  test('is that large', () => {
    expect(whole.size).toBeGreaterThan(100_000_000);
    expect(libraries.length).toBeGreaterThan(3);
  });

  test('leaves every file with the bytes and the mode that it was packed with', async () => {
    const installed = await factsOf(device.path('app/bin/node'));
    expect(installed).toMatchObject({ kind: 'file', mode: 0o755, content: await sha256Of(program.path) });
    for (const [at, { path }] of libraries.entries()) {
      const facts = await factsOf(device.path(`app/lib/${basename(path)}`));
      expect({ path, content: facts.content, mode: facts.mode }).toEqual({
        path,
        content: await sha256Of(path),
        mode: at === 0 ? 0o755 : 0o644,
      });
    }
  });

  test('leaves files that no package brought as they were, to the inode [D-4, D-5]', async () => {
    const now = await readTree(device.root);
    for (const [name, facts] of Object.entries(before)) expect([name, now[name]]).toEqual([name, facts]);
    const brought = ['app/bin', 'app/bin/node', ...libraries.map(({ path }) => `app/lib/${basename(path)}`)];
    expect(Object.keys(now).sort()).toEqual([...Object.keys(before), ...brought].sort());
  });

  test('leaves nothing in the work folder but the saved state and the reserve, and nothing staged [D-77]', () => {
    expect(device.tmp()).toEqual(['reserve', 'state.json', 'state.json.bak']);
    const store = readdirSync(device.storeDir);
    expect(store.filter((name) => name.startsWith('journal') || name === 'staging')).toEqual([]);
    // What was there before is as-found; everything that is live lies at its own place alone.
    expect(readdirSync(join(device.storeDir, 'objects'))).toEqual([]);
  });

  test('never holds up an answer to /progress [M-17, T-7]', () => {
    const longest = answersMs.at(-1) ?? Infinity;
    const nearlyAll = answersMs[Math.floor(answersMs.length * 0.95)] ?? Infinity;
    process.stdout.write(
      `  /progress: ${answersMs.length} answers, 95 % within ${nearlyAll.toFixed(1)} ms, longest ${longest.toFixed(0)} ms\n`,
    );
    expect(answersMs.length).toBeGreaterThan(10);
    expect(nearlyAll).toBeLessThan(ANSWER_WITHIN_MS.nearlyAlways);
    expect(longest).toBeLessThan(ANSWER_WITHIN_MS.always);
  });

  test('fetches each byte once', () => {
    expect(device.server.ranges).toEqual(['']);
    expect(device.server.sentBytes).toBe(whole.size);
  });

  test('is told by /versions, with what was found before as the way back [D-11]', async () => {
    expect(await device.versions()).toEqual({ current: '1.0.0', previous: '0.0.0', factory: '0.0.0' });
  });
});

describe('an update that brings one module of the two', () => {
  let untouched: FileFacts;

  beforeAll(async () => {
    untouched = await factsOf(device.path('app/bin/node'));
    const [first] = libraries.map(asSource);
    if (first === undefined) throw new Error('this machine has no libraries');
    await device.install(
      device.build({
        version: '1.1.0',
        modules: [
          {
            name: 'libraries',
            dst: device.path('app/lib'),
            brings: new Map([first, ['new.so', { bytes: 'new' }]]),
          },
        ],
      }),
    );
    await device.isTidy();
  }, 60_000);

  test('leaves the file of the other the very same inode', async () => {
    expect(await factsOf(device.path('app/bin/node'))).toEqual(untouched);
  });

  test('removes what its folder no longer brings, and nothing that no package brought [D-22]', () => {
    const [first] = libraries.map(({ path }) => basename(path));
    expect(readdirSync(device.path('app/lib')).sort()).toEqual([first, 'new.so', 'of-the-user.so'].sort());
    expect(device.read('app/settings.ini')).toBe('volume = 11\n');
  });

  test('makes the version before it the previous one [D-76]', async () => {
    expect(await device.versions()).toEqual({ current: '1.1.0', previous: '1.0.0', factory: '0.0.0' });
  });

  test('keeps of the old version exactly what a way back needs [D-9]', async () => {
    const kept = readdirSync(join(device.storeDir, 'objects')).sort();
    const gone = await Promise.all(libraries.slice(1).map(({ path }) => sha256Of(path)));
    expect(kept).toEqual([...new Set(gone)].sort());
  });
});
