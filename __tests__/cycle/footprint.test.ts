import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { cycle } from '../bench/cycle.js';
import { median, MB, MIB } from '../bench/figures.js';
import { Packages } from '../bench/packages.js';
import { COLLECTABLE, smallCycles, type AtIdle } from '../bench/small-cycles.js';
import { MeasuredDevice } from '../support/measured-device.js';
import { releasedProgram } from '../support/released-program.js';

/**
 * What does not depend on the machine of what `npm run bench` measures: bytes, files and memory of the packed release.
 */
const folder = mkdtempSync(join(tmpdir(), 'tope-footprint-'));
const packages = new Packages(join(folder, 'packages'), join(folder, 'device', 'opt'));
let device: MeasuredDevice;

beforeAll(async () => {
  const program = await releasedProgram(folder);
  device = await MeasuredDevice.on({ program, folder: join(folder, 'device'), environment: COLLECTABLE });
});

afterAll(async () => {
  await device.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('the packed release', () => {
  test('writes a package and its contents once, and fetches each byte once [T-11]', async () => {
    const built = packages.ofTen('1.0.0', 0);
    const { writtenBytes, fetchedBytes } = await cycle(device, built);
    expect(fetchedBytes).toBe(built.size);
    expect(writtenBytes).toBeLessThanOrEqual(built.size + built.contentBytes + 2 * MIB);
    expect(writtenBytes).toBeGreaterThan(0.9 * built.contentBytes);
  });

  test('writes one module of ten where an update changes one [T-11]', async () => {
    const built = packages.ofTen('1.1.0', 1);
    const { writtenBytes } = await cycle(device, built);
    expect(writtenBytes).toBeLessThanOrEqual(built.size + built.contentBytes / 10 + 2 * MIB);
  });

  test('holds no more after 20 cycles than after a few: neither memory nor open files [T-5]', async () => {
    const seen: AtIdle[] = [];
    for await (const atIdle of smallCycles(device, packages, { count: 20, bytes: 0.1 * MB }))
      seen.push(atIdle);
    const [early, late] = [seen.slice(5, 10), seen.slice(-5)];
    const middle = (some: readonly AtIdle[], name: keyof AtIdle) => median(some.map((one) => one[name]));
    expect(middle(late, 'openFiles')).toBeLessThanOrEqual(middle(early, 'openFiles'));
    expect(middle(late, 'rssAnon') - middle(early, 'rssAnon')).toBeLessThan(2 * MIB);
  });

  test('never holds a package in memory: 60 MB of its contents cost less than 24 MiB over the idle updater [T-1]', async () => {
    const idle = device.memory('RssAnon');
    const { rssAnon } = await cycle(device, packages.noise('2.0.0', 60 * MB));
    expect(rssAnon - idle).toBeLessThan(24 * MIB);
  });
});
