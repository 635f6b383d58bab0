import { Script } from 'node:vm';
import { afterEach, describe, expect, test } from '@jest/globals';
import { SCREEN, SCREEN_SCRIPT, SCREEN_STYLE } from '../../http/pages/screen.js';
import { VISUALIZER, VISUALIZER_SCRIPT, VISUALIZER_STYLE } from '../../http/pages/visualizer.js';
import { BASE_PATH, placesOf } from '../../http/route.js';
import { ROUTES } from '../../http/routes.js';
import { closeBenches, openBench } from '../support/http-bench.js';

afterEach(closeBenches);

const PAGES = [
  { page: VISUALIZER, script: VISUALIZER_SCRIPT, style: VISUALIZER_STYLE },
  { page: SCREEN, script: SCREEN_SCRIPT, style: SCREEN_STYLE },
];

describe.each(PAGES)('the page /$page.name', ({ page, script, style }) => {
  test('loads only what this server serves, and has no inline script or style', async () => {
    const bench = await openBench();
    const { text } = await bench.call({ path: `/${page.name}` });
    const links = [...text.matchAll(/(?:src|href)="([^"]*)"/g)].map((match) => match[1] ?? '');
    expect(links).toEqual([`/pages/${page.name}.css`, `/pages/${page.name}.js`]);
    expect(text).not.toMatch(/<script(?![^>]*src=)|<style|\son\w+=|\sstyle=/);
    for (const path of links) expect(await bench.call({ path })).toMatchObject({ status: 200 });
    expect(style).not.toMatch(/url\(|@import/);
  });

  test('has a script that is JavaScript, asks only our routes and names only elements that are there', () => {
    new Script(script);
    const places = ROUTES.flatMap(placesOf);
    const asked = [...script.matchAll(/'(\/[\w./]+)'/g)]
      .map((match) => match[1] ?? '')
      .filter((path) => path !== BASE_PATH);
    expect(asked.map((path) => places.includes(path) || places.includes(BASE_PATH + path))).not.toContain(
      false,
    );
    const ids = [...script.matchAll(/element\('(\w+)'\)/g)].map((match) => match[1] ?? '');
    expect(ids.length).toBeGreaterThan(3);
    for (const id of ids) expect(page.body).toContain(`id="${id}"`);
  });
});
