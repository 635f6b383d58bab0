import { beforeAll, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { freePorts } from '../../scripts/demo/free-ports.js';
import { accessibilityFaults } from '../support/accessibility.js';
import { CHROMIUM, startBrowser } from '../support/browser.js';
import { Device } from '../support/device.js';
import { describeIf } from '../support/requirements.js';
import { until } from '../support/until.js';
import { accepted } from '../support/updater-caller.js';
import { openWatched, photograph, type WatchedPage } from '../support/watched-page.js';

const VIEWS = [
  { name: 'small', language: 'en', viewport: { width: 800, height: 480 }, colorScheme: 'light' },
  { name: 'strip', language: 'zh', viewport: { width: 1920, height: 440 }, colorScheme: 'dark' },
  { name: 'small-chinese', language: 'zh', viewport: { width: 800, height: 480 }, colorScheme: 'dark' },
  { name: 'strip-english', language: 'en', viewport: { width: 1920, height: 440 }, colorScheme: 'light' },
] as const;

type Words = Readonly<Record<'en' | 'zh', string>>;

describeIf(CHROMIUM, 'the screen, on 800×480 and on a strip of 1920×440, in both languages', () => {
  let browser: Browser;
  let device: Device;
  const open: { view: (typeof VIEWS)[number]; watched: WatchedPage }[] = [];

  beforeAll(async () => {
    browser = await startBrowser();
    const [port] = await freePorts(1);
    device = await Device.on({ life: 'file', environment: { TOPE_PORT: String(port) } });
    await device.install(build('1.0.0'));
    for (const view of VIEWS) {
      const { viewport, colorScheme, language } = view;
      const options = { viewport, colorScheme, locale: language === 'zh' ? 'zh-CN' : 'en-GB' };
      open.push({ view, watched: await openWatched(browser, `${device.url}/screen`, options) });
    }
  });

  function build(version: string) {
    const brings = { bytes: `${version}\n`.repeat(60_000) };
    return device.build({ version, modules: [{ name: 'app', dst: device.path('app/app'), brings }] });
  }

  /** Waits until every page says this, then looks at what must hold on each. */
  async function everyPageSays(moment: string, headline: Words, hint: Words): Promise<void> {
    for (const { view, watched } of open) {
      const { page, faults } = watched;
      await until(
        `${view.name}: ${headline[view.language]}`,
        async () => (await page.textContent('h1')) === headline[view.language],
      );
      expect(await page.textContent('#hint')).toBe(hint[view.language]);
      expect(await page.getAttribute('html', 'lang')).toBe(view.language === 'zh' ? 'zh-CN' : 'en');
      const isWhole = await page.evaluate(
        'document.documentElement.scrollHeight <= innerHeight && document.documentElement.scrollWidth <= innerWidth',
      );
      expect([view.name, isWhole]).toEqual([view.name, true]);
      await nothingOverlaps(`${moment}, ${view.name}`, page);
      expect(faults).toEqual([]);
      await photograph(page, `screen-${moment}-${view.name}`);
    }
  }

  /** No text is cut off, and none stands upon another. */
  async function nothingOverlaps(name: string, page: Page): Promise<void> {
    const faults: unknown = await page.evaluate(`(() => {
      const shown = [...document.querySelectorAll('#versions, h1, #hint, #message, #percent, progress, #steps li, #error')]
        .filter((one) => one.offsetParent !== null && (one.textContent !== '' || one.tagName === 'PROGRESS'))
        .map((one) => [one.id || one.textContent, one, one.getBoundingClientRect()]);
      const cut = shown.filter(([, one]) => one.scrollWidth > one.clientWidth + 1).map(([name]) => name + ' is cut off');
      const upon = shown.flatMap(([name, , a], at) => shown.slice(at + 1)
        .filter(([, , b]) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1)
        .map(([other]) => name + ' overlaps ' + other));
      return [...cut, ...upon];
    })()`);
    expect([name, faults]).toEqual([name, []]);
  }

  async function everyPageShows(selector: string, text: RegExp): Promise<void> {
    for (const { view, watched } of open)
      await until(`${view.name}: ${selector}`, async () =>
        text.test((await watched.page.textContent(selector)) ?? ''),
      );
  }

  test('tells of a success, with a restart of the updater in the middle', async () => {
    await everyPageSays(
      'success',
      { en: 'Update finished', zh: '更新完成' },
      { en: 'The device is ready. There is nothing else to do.', zh: '设备已就绪，无需其他操作。' },
    );
    const next = build('1.1.0');
    const { release } = device.server.holdAfter(200_000);
    accepted(await device.download(next));
    const downloading = { en: 'Downloading the update', zh: '正在下载更新' };
    const goOn = { en: 'You can go on using the device.', zh: '您可以继续使用设备。' };
    await everyPageShows('#percent', /^[1-9]\d* %$/);
    await everyPageShows('#message', /^\d+\.\d MB/);
    await everyPageShows('#versions', /^1\.0\.0 → 1\.1\.0$/);
    await everyPageSays('downloading', downloading, goOn);
    const before = await open[0]?.watched.page.textContent('#percent');

    await device.updater.end('SIGKILL');
    await everyPageSays(
      'waiting',
      { en: 'One moment, please', zh: '请稍候' },
      {
        en: 'Waiting for the updater. This page goes on by itself.',
        zh: '正在等待更新程序响应，本页面会自动继续。',
      },
    );
    for (const { watched } of open) expect(await accessibilityFaults(watched.page)).toEqual([]);
    const held = device.server.holdAfter(200_000);
    await device.start();
    await everyPageSays('resumed', downloading, goOn);
    expect(
      Number.parseInt((await open[0]?.watched.page.textContent('#percent')) ?? ''),
    ).toBeGreaterThanOrEqual(Number.parseInt(before ?? '100') - 5);
    release();
    held.release();
    await everyPageSays(
      'ready',
      { en: 'Ready to install', zh: '可以安装' },
      { en: 'Start the installation when the device is free.', zh: '请在设备空闲时开始安装。' },
    );
    accepted(await device.update('1.1.0'));
    await everyPageShows('h1', /^(Update finished|更新完成)$/);
    await everyPageShows('#versions', /^1\.0\.0 → 1\.1\.0$/);
  }, 60_000);

  test('passes axe-core', async () => {
    for (const { watched } of open) expect(await accessibilityFaults(watched.page)).toEqual([]);
  });

  test('tells of a failure, and what to do next', async () => {
    const bad = build('1.2.0');
    accepted(await device.download(bad, { package_md5: '0'.repeat(32) }));
    await everyPageShows('#error', /^MD5_MISMATCH: /);
    await everyPageSays(
      'failed',
      { en: 'The update did not work', zh: '更新未成功' },
      {
        en: 'The update does not fit this device or is damaged. Nothing was changed. Please tell support.',
        zh: '更新包不适用于本设备或已损坏。设备未作任何更改，请联系售后支持。',
      },
    );
    for (const { watched } of open) expect(await accessibilityFaults(watched.page)).toEqual([]);
  });
});
