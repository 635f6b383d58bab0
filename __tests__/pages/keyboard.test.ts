import { beforeAll, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { CHROMIUM, startBrowser } from '../support/browser.js';
import { Device } from '../support/device.js';
import { describeIf } from '../support/requirements.js';
import { until } from '../support/until.js';
import { openWatched } from '../support/watched-page.js';

/** What a person can do something with, in the order of the page; what is disabled or hidden is left out. */
const CONTROLS = `[...document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex="0"]')]
  .filter((one) => !one.disabled && one.checkVisibility())`;
const NAMED = `((one) => one.id || one.closest('[data-id]')?.dataset.id || one.tagName)`;
/** What has the focus: its name, and what is wrong with how it is seen; null for none. */
const FOCUSED = `((one) => {
  if (one === document.body) return null;
  const { outlineStyle, outlineWidth } = getComputedStyle(one);
  const box = one.getBoundingClientRect();
  const isOut = box.bottom < 1 || box.top > innerHeight - 1 || box.right < 1 || box.left > innerWidth - 1;
  const hasRing = outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2;
  const faults = [...(hasRing ? [] : ['no ring']), ...(isOut ? ['not in view'] : [])];
  return [${NAMED}(one), ...faults].join(': ');
})(document.activeElement)`;

const MOST_TABS = 200;

/** Presses Tab, or Shift+Tab, until the page is left; what had the focus, in order. */
async function walk(page: Page, key: 'Tab' | 'Shift+Tab'): Promise<unknown[]> {
  const walked: unknown[] = [];
  while (walked.length < MOST_TABS) {
    await page.keyboard.press(key);
    const focused: unknown = await page.evaluate(FOCUSED);
    if (focused === null) return walked;
    walked.push(focused);
  }
  throw new Error(`the page is not left after ${MOST_TABS} times ${key}`);
}

/** Presses Tab until this element has the focus. */
async function tabTo(page: Page, id: string): Promise<void> {
  for (let count = 0; count < MOST_TABS; count++) {
    if ((await page.evaluate('document.activeElement.id')) === id) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`#${id} is not reached by Tab`);
}

describeIf(CHROMIUM, 'by the keyboard alone', () => {
  let browser: Browser;
  let device: Device;

  beforeAll(async () => {
    browser = await startBrowser();
    device = await Device.on({ life: 'file', environment: { TOPE_VISUALIZER_ORDERS: 'true' } });
    await device.install(build('1.0.0'));
  });

  function build(version: string) {
    const modules = [{ name: 'app', dst: device.path('app'), brings: { bytes: version } }];
    return device.build({ version, modules });
  }

  async function open(viewport: { width: number; height: number }) {
    const watched = await openWatched(browser, `${device.url}/visualizer`, {
      viewport,
      reducedMotion: 'reduce',
    });
    const { page } = watched;
    await until('it is live', async () => (await page.textContent('#connection')) === 'Live');
    return watched;
  }

  test.each([
    { width: 1920, height: 1080 },
    { width: 800, height: 480 },
  ])(
    'Tab reaches everything on the visualizer of $width×$height, in order, and it is seen where',
    async (size) => {
      const { page } = await open(size);
      await page.evaluate(`document.querySelector('#orders').open = true`);
      const controls: unknown = await page.evaluate(`${CONTROLS}.map(${NAMED})`);
      expect(controls).toEqual(
        expect.arrayContaining(['canvas', 'whole', 'SUMMARY', 'order', 'token', 'download', 'slider']),
      );
      const walked = await walk(page, 'Tab');
      expect(walked).toEqual(controls);
      // Behind its first element a browser without a window goes round once more.
      const back = (await walk(page, 'Shift+Tab')).slice(0, walked.length);
      expect(back.reverse()).toEqual(controls);
      // What comes later stands to the right of what comes before, or below it.
      const backwards: unknown = await page.evaluate(`(() => {
      const boxes = ${CONTROLS}.map((one) => [${NAMED}(one), one.getBoundingClientRect()]);
      return boxes.slice(1).filter(([, b], at) => b.left < boxes[at][1].left - 1 && b.top < boxes[at][1].bottom - 1)
        .map(([name]) => name);
    })()`);
      expect(backwards).toEqual([]);
    },
  );

  test('the visualizer gives orders, scrolls, replays and shows a step', async () => {
    const { page, faults } = await open({ width: 1920, height: 1080 });
    const { keyboard } = page;
    await tabTo(page, 'canvas');
    const scrolled = () => page.evaluate(`document.getElementById('canvas').scrollTop`);
    await keyboard.press('Home');
    await until('the picture is at its top', async () => (await scrolled()) === 0);
    await keyboard.press('ArrowDown');
    await until('the picture is scrolled', async () => Number(await scrolled()) > 0);
    await tabTo(page, 'whole');
    await keyboard.press('Space');
    expect(await page.getAttribute('#whole', 'aria-pressed')).toBe('true');
    await keyboard.press('Enter');
    expect(await page.getAttribute('#whole', 'aria-pressed')).toBe('false');

    await keyboard.press('Tab');
    await keyboard.press('Enter');
    await tabTo(page, 'order');
    await keyboard.insertText(JSON.stringify(device.server.orderOf(build('1.1.0'))));
    await tabTo(page, 'download');
    await keyboard.press('Space');
    await device.reaches('toInstall');
    await until('it may be installed', async () => !(await page.locator('#update').isDisabled()));
    await tabTo(page, 'update');
    await keyboard.press('Enter');
    await device.reaches('success');
    const path = async () => page.textContent('#path');
    await until('the page has heard of it', async () => (await path()) === 'done');

    await tabTo(page, 'slider');
    const lit = () => page.evaluate('document.querySelector(".is-now")?.dataset.state');
    await keyboard.press('Home');
    expect(await lit()).toBe('downloading.transferring');
    await keyboard.press('ArrowRight');
    expect(await lit()).toBe('verifying.hashing');
    await keyboard.press('ArrowLeft');
    expect(await lit()).toBe('downloading.transferring');
    await tabTo(page, 'live');
    await keyboard.press('Space');
    expect(await lit()).toBe('done');
    expect(await page.evaluate('document.activeElement.id')).toBe('canvas');

    await tabTo(page, 'slider');
    await keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.className')).toBe('step');
    await keyboard.press('Space');
    expect(await page.textContent('#detail h2')).toMatch(/^commitRelease done: /);
    expect(await page.evaluate('document.activeElement.getAttribute("aria-pressed")')).toBe('true');
    expect(faults).toEqual([]);
  });

  test('the screen has nothing to press, and catches no key', async () => {
    const { page, faults } = await openWatched(browser, `${device.url}/screen`);
    await until('it tells a stage', async () => (await page.textContent('h1')) !== '…');
    expect(await page.evaluate(`${CONTROLS}.length`)).toBe(0);
    expect(await walk(page, 'Tab')).toEqual([]);
    expect(faults).toEqual([]);
  });
});
