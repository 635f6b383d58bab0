import { beforeAll, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { accessibilityFaults } from '../support/accessibility.js';
import { CHROMIUM, startBrowser } from '../support/browser.js';
import type { BuiltPackage } from '../support/build-package.js';
import { Device } from '../support/device.js';
import { fieldOf, textOf } from '../support/json-fields.js';
import { describeIf } from '../support/requirements.js';
import { until } from '../support/until.js';
import { accepted } from '../support/updater-caller.js';
import { openWatched, photograph } from '../support/watched-page.js';

const DESK = { width: 1920, height: 1080 };
const SMALL = { width: 800, height: 480 };

/** Notes each state that gets lit, in the page itself, so that none is missed. */
const NOTE_LIT = `
  window.lit = [];
  const note = () => {
    const now = document.querySelector('.is-now')?.dataset.state;
    if (now !== undefined && now !== window.lit.at(-1)) window.lit.push(now);
  };
  new MutationObserver(note).observe(document.getElementById('canvas'),
    { subtree: true, attributes: true, attributeFilter: ['class'] });
  note();`;

function build(device: Device, version: string): BuiltPackage {
  const brings = { bytes: `${version}\n`.repeat(60_000) };
  const modules = [{ name: 'voice-app', dst: device.path('voice/voice-app'), brings }];
  return device.build({ version, modules });
}

async function transitionsOf(device: Device): Promise<unknown[]> {
  const { data } = await device.get('/state');
  const list = fieldOf(data, 'transitions');
  const transitions: unknown[] = Array.isArray(list) ? list : [];
  return transitions;
}

function litOf(page: Page): Promise<unknown> {
  return page.evaluate('document.querySelector(".is-now")?.dataset.state ?? ""');
}

async function isLit(page: Page, state: string): Promise<void> {
  await until(`${state} is lit`, async () => (await litOf(page)) === state);
}

/** Whether an element stands wholly in what is seen of the picture. */
async function isInPicture(page: Page, selector: string): Promise<boolean> {
  const isInside: unknown = await page.evaluate(
    `((view, box) => box.top >= view.top && box.bottom <= view.bottom && box.left >= view.left && box.right <= view.right)(
      document.getElementById('canvas').getBoundingClientRect(),
      document.querySelector('${selector}').getBoundingClientRect())`,
  );
  return isInside === true;
}

describeIf(CHROMIUM, 'the visualizer, while a real update runs', () => {
  let browser: Browser;
  let device: Device;
  beforeAll(async () => {
    browser = await startBrowser();
    device = await Device.on({ life: 'file' });
    await device.install(build(device, '1.0.0'));
  });

  test('lights every state in order, lists every transition, and replays them', async () => {
    const { page, faults } = await openWatched(browser, `${device.url}/visualizer`, { viewport: DESK });
    await isLit(page, 'done');
    await page.evaluate(NOTE_LIT);
    const before = (await transitionsOf(device)).length;
    const next = build(device, '1.1.0');
    const hold = device.server.holdAfter(200_000);
    accepted(await device.download(next));
    await isLit(page, 'downloading.transferring');
    expect(await page.textContent('#accepts')).toMatch(/CANCEL/);
    await photograph(page, 'visualizer-downloading');
    hold.release();
    await device.reaches('toInstall');
    accepted(await device.update('1.1.0'));
    await device.reaches('success');
    await isLit(page, 'done');

    const transitions = (await transitionsOf(device)).slice(before);
    const path = transitions.map((one) => textOf(one, 'to'));
    expect(path).toContain('deploying.switching');
    expect(await page.evaluate('window.lit')).toEqual(['done', ...path]);
    expect(await page.locator('#steps li').count()).toBe(before + path.length);

    await page.focus('#slider');
    await page.keyboard.press('Home');
    for (const state of path) {
      await isLit(page, state);
      await page.keyboard.press('ArrowRight');
    }
    await page.keyboard.press('ArrowLeft');
    await photograph(page, 'visualizer-replay');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await isLit(page, 'done');
    expect(faults).toEqual([]);
  });

  test('lights the edge of a chosen transition, with what changed and which guards said no', async () => {
    const bad = build(device, '1.2.0');
    const { order, url } = { order: device.server.orderOf(bad), url: `${device.server.urlOf(bad)}gone` };
    accepted(
      await device.post('/download', { ...order, package_url: url.replace('X-Amz-Signature', 'None') }),
    );
    await until('it has failed', async () => (await device.progress()).stage === 'failed');
    const { page, faults } = await openWatched(browser, `${device.url}/visualizer`, {
      viewport: SMALL,
      colorScheme: 'dark',
    });
    await isLit(page, 'failed');
    await photograph(page, 'visualizer-small-dark');
    const newest = page.locator('#steps li').first();
    expect(await newest.textContent()).toMatch(/transfer failed.*isNetworkAway: no.*mayAskAgain: no/);
    await newest.locator('button').focus();
    await page.keyboard.press('Enter');
    const edge = 'downloading.transferring/xstate.error.actor.transfer/2';
    expect(await page.locator(`[data-edge="${edge}"].is-lit`).count()).toBe(1);
    expect(await page.locator('.line.is-lit').count()).toBe(1);
    await until('the lit edge is seen', () => isInPicture(page, '.edge.is-lit'));
    const detail = await page.textContent('#detail');
    expect(detail).toMatch(/DOWNLOAD_FAILED: .*403/);
    expect(detail).toContain('isNetworkAway: no is there no network at all?');
    expect(detail).toContain('failure.code');
    await page.locator('#detail').scrollIntoViewIfNeeded();
    await photograph(page, 'visualizer-guards-small-dark');
    expect(faults).toEqual([]);
  });

  test.each(['light', 'dark'] as const)(
    'passes axe-core, %s, also with a step chosen',
    async (colorScheme) => {
      const { page } = await openWatched(browser, `${device.url}/visualizer`, {
        viewport: DESK,
        colorScheme,
        reducedMotion: 'reduce',
      });
      await isLit(page, 'failed');
      await page.locator('#steps button').first().press('Enter');
      await page.waitForTimeout(300);
      await photograph(page, `visualizer-guards-${colorScheme}`);
      expect(await accessibilityFaults(page)).toEqual([]);
    },
  );

  test('shows the whole picture on demand, and keeps an old picture when the updater is gone', async () => {
    const { page } = await openWatched(browser, `${device.url}/visualizer`, { viewport: DESK });
    await isLit(page, 'failed');
    await page.locator('#whole').press('Enter');
    expect(await page.getAttribute('#whole', 'aria-pressed')).toBe('true');
    const size = await page.locator('#canvas svg').boundingBox();
    expect(size?.height).toBeLessThan(DESK.height);
    await photograph(page, 'visualizer-whole');
    await device.updater.end('SIGKILL');
    await until('it says so', async () => /lost/.test((await page.textContent('#connection')) ?? ''));
    await isLit(page, 'failed');
  });
});

describeIf(CHROMIUM, 'the visualizer of a development machine', () => {
  test('gives orders by the keyboard alone', async () => {
    const browser = await startBrowser();
    const device = await Device.on({ environment: { TOPE_VISUALIZER_ORDERS: 'true' } });
    const { page, faults } = await openWatched(browser, `${device.url}/visualizer`, { viewport: DESK });
    await isLit(page, 'idle');
    await page.locator('#orders summary').press('Enter');
    await page.locator('#order').fill(JSON.stringify(device.server.orderOf(build(device, '1.0.0'))));
    await page.locator('#download').press('Enter');
    await isLit(page, 'ready.waiting');
    expect(await page.textContent('#answer')).toBe('success');
    expect(await accessibilityFaults(page)).toEqual([]);
    await page.locator('#update').press('Enter');
    await isLit(page, 'done');
    expect(faults).toEqual([]);
  });
});
