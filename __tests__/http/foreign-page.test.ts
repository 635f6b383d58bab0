import { createServer, type Server } from 'node:http';
import { afterEach, beforeAll, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { CHROMIUM, startBrowser } from '../support/browser.js';
import { closeBenches, openBench, type Bench } from '../support/http-bench.js';
import { atEndOf } from '../support/life.js';
import { listenOn } from '../support/local-server.js';
import { describeIf } from '../support/requirements.js';

const STATE = 'downloading.transferring';
const EVIL = 'evil.example';
/** What no foreign page may ever get to see: a part of each answer of ours. */
const OURS = ['"stage"', 'success', 'transitions', 'openapi', 'TOPE Updater'];

let browser: Browser;
/** A server that gives any page, as an attacker's does. */
let attackersPort: number;

function foreignServer(): Server {
  return createServer((_request, response) => {
    response.setHeader('Content-Type', 'text/html');
    response.end('<!doctype html><title>a foreign page</title><body>');
  });
}

describeIf(CHROMIUM, 'in a real browser [W-89]', () => {
  beforeAll(async () => {
    browser = await startBrowser({ loopbackNames: [EVIL] });
    const attacker = foreignServer();
    attackersPort = await listenOn(attacker);
    atEndOf('file', () => new Promise((resolve) => attacker.close(() => resolve())));
  }, 60_000);

  afterEach(closeBenches);

  async function openPage(url: string): Promise<Page> {
    const context = await browser.newContext();
    atEndOf('test', () => context.close());
    const page = await context.newPage();
    await page.goto(url);
    return page;
  }

  test('our own page reads and orders: the attempts below would be seen to succeed', async () => {
    const bench = await openBench(STATE);
    const page = await openPage(`http://localhost:${bench.port}/screen`);
    const read = await attempt(page, 'read', `http://localhost:${bench.port}`);
    expect(OURS.some((words) => read.includes(words))).toBe(true);
    await attempt(page, 'orderAsJson', `http://localhost:${bench.port}`);
    expect(bench.path()).toBe('idle');
  });

  test.each(['127.0.0.1', 'localhost', EVIL])(
    'a page of another origin can neither read nor order anything at %s',
    async (name) => {
      const bench = await openBench(STATE);
      const page = await openPage(`http://${EVIL}:${attackersPort}/`);
      await expectNothing(bench, page, `http://${name}:${bench.port}`);
    },
  );

  test('a page of another port of this device can neither read nor order anything', async () => {
    const bench = await openBench(STATE);
    const page = await openPage(`http://localhost:${attackersPort}/`);
    await expectNothing(bench, page, `http://localhost:${bench.port}`);
  });

  test('a page whose name is rebound to this device can neither read nor order anything', async () => {
    const attacker = foreignServer();
    const port = await listenOn(attacker);
    const origin = `http://${EVIL}:${port}`;
    const page = await openPage(`${origin}/`);
    attacker.closeAllConnections();
    await new Promise((resolve) => attacker.close(resolve));
    // From here on the page's own name and port lead to the updater: for the browser it is the same origin.
    const bench = await openBench(STATE, [], { port });
    expect(await attempt(page, 'read', origin)).toContain('is not a name of this updater');
    await expectNothing(bench, page, origin);
  });

  test('our pages cannot be put into a frame, nor be read by the page that has opened them', async () => {
    const bench = await openBench(STATE);
    const page = await openPage(`http://${EVIL}:${attackersPort}/`);
    const target = `http://127.0.0.1:${bench.port}`;
    expect(await attempt(page, 'frame', target)).toBe('');
    const opened = page.context().waitForEvent('page');
    await page.evaluate(`void (window.screenOfOurs = window.open(${JSON.stringify(`${target}/screen`)}))`);
    await (await opened).waitForLoadState();
    const read = await page.evaluate(
      `(() => { try { return screenOfOurs.document.body.textContent; } catch (error) { return error.name; } })()`,
    );
    expect(['SecurityError', 'TypeError']).toContain(read);
  });
});

/** Every way that a page has of asking, each as JavaScript that answers with all that the page could learn. */
const ATTEMPTS = {
  read: `(await fetch(target + '/api/v1.0/state')).text()`,
  readWithCredentials: `(await fetch(target + '/api/v1.0/progress', { credentials: 'include' })).text()`,
  readWithoutCors: `(await fetch(target + '/api/v1.0/progress', { mode: 'no-cors' })).text()`,
  readAsScript: `new Promise((resolve) => {
    const script = document.createElement('script');
    script.src = target + '/openapi.json';
    script.onload = script.onerror = () => resolve('');
    document.body.append(script);
  })`,
  readAsStream: `new Promise((resolve) => {
    const source = new EventSource(target + '/api/v1.0/events');
    source.onopen = () => resolve('success: a stream is open');
    source.onerror = () => { source.close(); resolve(''); };
  })`,
  readAsSocket: `new Promise((resolve) => {
    const socket = new WebSocket(target.replace('http', 'ws') + '/api/v1.0/events');
    socket.onopen = () => resolve('success: a socket is open');
    socket.onerror = () => resolve('');
  })`,
  frame: `new Promise((resolve) => {
    const frame = document.createElement('iframe');
    frame.src = target + '/screen';
    frame.onload = () => {
      try { resolve(frame.contentDocument === null ? '' : frame.contentDocument.body.textContent); } catch { resolve(''); }
    };
    document.body.append(frame);
  })`,
  orderAsJson: `(await fetch(target + '/api/v1.0/cancel', {
    method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{}' })).text()`,
  orderAsText: `(await fetch(target + '/api/v1.0/cancel', { method: 'POST', mode: 'no-cors', body: '{}' })).text()`,
  orderWithoutType: `(await fetch(target + '/api/v1.0/cancel', {
    method: 'POST', mode: 'no-cors', body: new Blob(['{}']) })).text()`,
  orderAsBeacon: `String(navigator.sendBeacon(target + '/api/v1.0/cancel', new Blob(['{}'], { type: 'application/json' })))`,
  orderAsForm: `new Promise((resolve) => {
    const frame = Object.assign(document.createElement('iframe'), { name: 'answer' });
    document.body.append(frame);
    const form = document.createElement('form');
    Object.assign(form, { method: 'POST', enctype: 'text/plain', target: 'answer', action: target + '/api/v1.0/cancel' });
    form.append(Object.assign(document.createElement('input'), { name: '{"a":"', value: '"}' }));
    document.body.append(form);
    frame.onload = () => {
      try { resolve(frame.contentDocument === null ? '' : frame.contentDocument.body.textContent); } catch { resolve(''); }
    };
    form.submit();
    setTimeout(() => resolve(''), 2000);
  })`,
} as const;

/** What a page learns by one way of asking; the error's name where it learns nothing. */
async function attempt(page: Page, way: keyof typeof ATTEMPTS, target: string): Promise<string> {
  const script = `(async (target) => { try { return String(await ${ATTEMPTS[way]}); } catch (error) { return error.name; } })(${JSON.stringify(target)})`;
  return String(await page.evaluate(script));
}

async function expectNothing(bench: Bench, page: Page, target: string): Promise<void> {
  for (const way of Object.keys(ATTEMPTS).filter((name): name is keyof typeof ATTEMPTS => name in ATTEMPTS)) {
    const learnt = await attempt(page, way, target);
    expect([way, OURS.filter((words) => learnt.includes(words)), bench.path()]).toEqual([way, [], STATE]);
  }
  // What was sent without waiting for an answer has come by now, or comes with this.
  await attempt(page, 'orderAsJson', target);
  expect(bench.updater.listeners()).toBe(0);
  expect(bench.path()).toBe(STATE);
}
