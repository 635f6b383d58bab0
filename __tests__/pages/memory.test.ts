import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { NODE_ENVIRONMENT, NODE_FLAGS } from '../../scripts/release/node-flags.js';
import { cycle } from '../bench/cycle.js';
import { MB, MIB } from '../bench/figures.js';
import { Packages } from '../bench/packages.js';
import { COLLECT, COLLECTABLE } from '../bench/small-cycles.js';
import { CHROMIUM, startBrowser } from '../support/browser.js';
import { MeasuredDevice } from '../support/measured-device.js';
import { describeIf } from '../support/requirements.js';
import { until } from '../support/until.js';
import { openWatched } from '../support/watched-page.js';

const folder = mkdtempSync(join(tmpdir(), 'tope-pages-'));
const PACKAGE_BYTES = 4 * MB;
const ROUNDS = 4;
/** The heap grows in the first cycles, whoever looks on. */
const CYCLES_BEFORE = 3;

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describeIf(CHROMIUM, 'an update', () => {
  test('takes less than 3 MiB more of private memory with both pages open', async () => {
    const program = launcher();
    const device = await MeasuredDevice.on({
      program,
      folder: join(folder, 'device'),
      environment: COLLECTABLE,
    });
    const browser = await startBrowser();
    const packages = new Packages(join(folder, 'packages'), join(folder, 'device', 'opt'));
    try {
      let version = 0;
      const peak = async () => {
        const { rssAnon } = await cycle(device, packages.noise(`1.0.${version++}`, PACKAGE_BYTES));
        await collected(device);
        return rssAnon;
      };
      for (let cycles = 0; cycles < CYCLES_BEFORE; cycles++) await peak();
      const without = [await peak()];
      const withPages: number[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        const close = await openPages(browser, device);
        withPages.push(await peak());
        await close();
        without.push(await peak());
      }
      const more = moreThanNeighbours(withPages, without);
      const shown = (figures: number[]) => figures.map((bytes) => (bytes / MIB).toFixed(1)).join(', ');
      console.log(
        `RssAnon at the peak: ${shown(without)} MiB; with both pages open: ${shown(withPages)} MiB; more: ${shown(more)} MiB`,
      );
      // One collection more or less at the peak is worth more than what is measured: the middle one tells.
      expect(more.toSorted((a, b) => a - b)[ROUNDS / 2]).toBeLessThan(3 * MIB);
    } finally {
      await device.close();
    }
  }, 90_000);
});

/** The built program with the flags of a device. */
function launcher(): string {
  const path = join(folder, 'tope-updater');
  const program = fileURLToPath(new URL('../../scripts/tope-updater.js', import.meta.url));
  const environment = Object.entries(NODE_ENVIRONMENT).map(([name, value]) => `${name}=${value}`);
  const words = ['exec env', ...environment, process.execPath, ...NODE_FLAGS, program, '"$@"'];
  writeFileSync(path, `#!/bin/sh\n${words.join(' ')}\n`, { mode: 0o755 });
  return path;
}

/** How much more each figure is than the mean of those before and after it: what all of them grow by falls out. */
function moreThanNeighbours(figures: readonly number[], neighbours: readonly number[]): number[] {
  return figures.map((bytes, at) => bytes - ((neighbours[at] ?? 0) + (neighbours[at + 1] ?? 0)) / 2);
}

/** Without this each cycle would begin with what the ones before have left to collect. */
async function collected(device: MeasuredDevice): Promise<void> {
  process.kill(device.updater.pid, COLLECT);
  await new Promise((resolve) => setTimeout(resolve, 200));
}

/** Opens both pages, live; answers with how to close them. */
async function openPages(browser: Browser, device: MeasuredDevice): Promise<() => Promise<void>> {
  const url = `http://127.0.0.1:${device.listensAt}`;
  const visualizer = await openWatched(browser, `${url}/visualizer`);
  const screen = await openWatched(browser, `${url}/screen`);
  await until(
    'the visualizer is live',
    async () => (await visualizer.page.textContent('#connection')) === 'Live',
  );
  await until('the screen tells a stage', async () => (await screen.page.textContent('h1')) !== '…');
  return async () => {
    for (const { page } of [visualizer, screen]) await page.context().close();
  };
}
