import { afterAll } from '@jest/globals';
import { chromium, type Browser } from 'playwright-core';
import { hasProgram, hasRoot, type Requirement } from './requirements.js';

/** Debian's browser; playwright-core brings none of its own. */
const PROGRAM = '/usr/bin/chromium';
const START_WITHIN_MS = 60_000;

export const CHROMIUM: Requirement = {
  met: hasProgram('chromium'),
  needs: 'the package chromium',
};

export interface BrowserOptions {
  /** Names that the browser takes for 127.0.0.1, in place of asking the system. */
  loopbackNames?: readonly string[];
}

const open: Browser[] = [];

afterAll(async () => {
  for (const browser of open.splice(0)) await browser.close();
});

/**
 * A real Chromium without a window, closed after the last test of the file. It takes about a second: one serves a whole
 * file, each test with a context of its own (`browser.newContext()`), which shares nothing with the others.
 */
export async function startBrowser({ loopbackNames = [] }: BrowserOptions = {}): Promise<Browser> {
  const rules = loopbackNames.map((name) => `MAP ${name} 127.0.0.1`).join(', ');
  const browser = await chromium.launch({
    executablePath: PROGRAM,
    timeout: START_WITHIN_MS,
    args: [
      // What runs as root cannot have Chromium's sandbox.
      ...(hasRoot() ? ['--no-sandbox'] : []),
      // In a container /dev/shm may have 64 MiB, too few for a page.
      '--disable-dev-shm-usage',
      '--disable-gpu',
      ...(rules === '' ? [] : [`--host-resolver-rules=${rules}`]),
    ],
  });
  open.push(browser);
  return browser;
}
