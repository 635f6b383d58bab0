import { readdirSync, readFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from '@jest/globals';
import { SCRIPTS, STYLES } from '../../http/pages/page.js';
import { createHttpServer } from '../../http/server.js';
import { ERRORS } from '../../machines/errors.js';
import { FIRST_WORDS, STAGES } from '../../machines/stage.js';
import { FAILURE_KINDS, wordsFor } from '../../pages/screen-words.js';
import { call } from '../support/http-call.js';
import { closeBenches, openBench } from '../support/http-bench.js';

afterEach(closeBenches);

const FOLDER = new URL('../../pages/', import.meta.url);
const MOST_BYTES = 150_000;

describe.each(['visualizer', 'screen'])('the page /%s', (name) => {
  test('loads only what this server serves, and has no inline script or style [W-84]', async () => {
    const bench = await openBench();
    const { text } = await bench.call({ path: `/${name}` });
    const links = [...text.matchAll(/(?:src|href)="([^"]*)"/g)].map((match) => match[1] ?? '');
    expect(links.length).toBeGreaterThan(2);
    expect(text).not.toMatch(/<script(?![^>]*src=)|<style|\son\w+=|\sstyle=/);
    for (const path of links) expect(await bench.call({ path })).toMatchObject({ status: 200 });
  });

  test('has every element that its scripts ask for', async () => {
    const server = createHttpServer((await openBench()).updater.port, {
      host: '127.0.0.1',
      port: 0,
      allowedHosts: [],
      visualizerOrders: true,
    });
    const { text } = await call(await server.listen(), { path: `/${name}` });
    await server.close();
    const scripts = name === 'screen' ? ['screen.js'] : SCRIPTS.filter((file) => !file.startsWith('screen'));
    const ids = scripts.flatMap((file) => [
      ...readFileSync(new URL(file, FOLDER), 'utf8').matchAll(/(?:element|say)\('(\w+)'/g),
    ]);
    expect(ids.length).toBeGreaterThan(4);
    for (const [, id = ''] of ids) expect(text).toContain(`id="${id}"`);
  });
});

describe('what the pages load', () => {
  test('is every file of theirs, and each is served as what it is [W-84]', async () => {
    const bench = await openBench();
    expect(
      readdirSync(FOLDER)
        .filter((name) => /\.(js|css)$/.test(name))
        .sort(),
    ).toEqual([...SCRIPTS, ...STYLES].sort());
    for (const name of [...SCRIPTS, ...STYLES]) {
      const { text, headers } = await bench.call({ path: `/pages/${name}` });
      expect(text).toBe(readFileSync(new URL(name, FOLDER), 'utf8'));
      expect(headers['content-type']).toMatch(name.endsWith('.css') ? /^text\/css;/ : /^text\/javascript;/);
      expect(text).not.toMatch(/url\(|@import|https?:\/\//);
    }
  });

  test('is less than 150 KB, pages included', async () => {
    const bench = await openBench();
    let bytes = 0;
    for (const path of ['/visualizer', '/screen', ...[...SCRIPTS, ...STYLES].map((name) => `/pages/${name}`)])
      bytes += Buffer.byteLength((await bench.call({ path })).text);
    expect(bytes).toBeGreaterThan(30_000);
    expect(bytes).toBeLessThan(MOST_BYTES);
  });

  test('offers orders only where the configuration allows them', async () => {
    const bench = await openBench();
    expect((await bench.call({ path: '/visualizer' })).text).not.toContain('id="orders"');
  });
});

describe.each(['en-GB', 'zh-CN', 'zh', 'fr'])('the screen for %s', (language) => {
  const words = wordsFor(language);

  test('has words for every stage and a way on for every error', () => {
    for (const stage of Object.values(STAGES)) {
      expect(words.stages[stage]).toMatch(/\S/);
      expect(words.hints[stage]).toBeDefined();
    }
    expect(Object.keys(FAILURE_KINDS).sort()).toEqual(Object.keys(ERRORS).sort());
    for (const kind of Object.values(FAILURE_KINDS)) expect(words.failures[kind]).toMatch(/\S/);
  });

  test('speaks one language', () => {
    const isChinese = language.startsWith('zh');
    const said = [...Object.values(words.stages), ...Object.values(words.failures), ...words.steps];
    for (const one of said) expect([one, /[一-龥]/.test(one)]).toEqual([one, isChinese]);
    const message = words.message('Installing module voice-app (2/3)');
    expect(message).toBe(isChinese ? '正在安装模块 voice-app（2/3）' : 'Installing module voice-app (2/3)');
    expect(words.message('something new')).toBe('something new');
  });
});

describe('what the updater tells', () => {
  const told = [
    ...Object.values(FIRST_WORDS).map(({ message }) => message),
    ...['Downloading package... 0.3 MB / 0.4 MB', 'Verifying package... 0.3 MB / 0.4 MB'],
    ...['Checking the package again...', 'Installing module app', 'Installing module app (2/3)'],
    ...['Restoring files...', 'Stopping services...', 'Switching files...', 'Files switched'],
    ...['Started app (1/2)', 'Watching the services settle...'],
    'Update finished; services were not started (no service manager)',
    'Update finished; /opt/tope/a was edited on this device: kept as /opt/tope/a.local-1.0.0; services were not started (no service manager)',
    'Update finished; /opt/tope/a had file capabilities and the mode 4755, the new file has not: set them anew if it needs them',
  ];

  test.each(told)('is told in Chinese too, and never a second time below the headline: %s', (message) => {
    const chinese = wordsFor('zh-CN').message(message);
    const names = /\/opt\/tope\/a(\.local-1\.0\.0)?|\bapp\b|\bMB\b/g;
    expect(chinese.replace(names, '')).not.toMatch(/[A-Za-z]{2}/);
    expect(wordsFor('en').message(message)).not.toMatch(/^(Downloading|Verifying|Installing\.\.\.|Update)/);
  });

  test('keeps what a person wants to know', () => {
    expect(wordsFor('en').message('Downloading package... 0.3 MB / 0.4 MB')).toBe('0.3 MB / 0.4 MB');
    expect(
      wordsFor('zh').message('Update finished; /a was edited on this device: kept as /a.local-1.0.0'),
    ).toBe('/a 曾在本设备上被修改，已另存为 /a.local-1.0.0');
  });
});
