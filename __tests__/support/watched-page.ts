import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';

/** Where pictures of the pages go; absent: none are taken. */
const PICTURES = process.env['TOPE_SCREENSHOTS'];

/** A page in a real browser, and everything that it should not have done. */
export interface WatchedPage {
  page: Page;
  /** Errors, violations of the policy, and requests to other hosts. */
  faults: readonly string[];
}

/** Opens a page of an updater in a context of its own. */
export async function openWatched(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<WatchedPage> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const faults: string[] = [];
  const { origin } = new URL(url);
  page.on('pageerror', (error) => faults.push(`error: ${error.message}`));
  page.on('console', (message) => {
    const isOffline = message.text().includes('ERR_CONNECTION') || message.text().includes('ERR_INCOMPLETE');
    if (message.type() === 'error' && !isOffline) faults.push(`console: ${message.text()}`);
  });
  page.on('request', (request) => {
    if (new URL(request.url()).origin !== origin) faults.push(`request: ${request.url()}`);
  });
  await page.addInitScript(
    `addEventListener('securitypolicyviolation', (e) => console.error('policy: ' + e.violatedDirective));`,
  );
  await page.goto(url);
  return { page, faults };
}

/** Takes a picture of a page for the docs, where pictures are wanted. */
export async function photograph(page: Page, name: string): Promise<void> {
  if (PICTURES === undefined) return;
  mkdirSync(PICTURES, { recursive: true });
  await page.waitForTimeout(600);
  await page.screenshot({ path: join(PICTURES, `${name}.png`) });
}
