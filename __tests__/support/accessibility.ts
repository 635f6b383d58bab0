import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';
import { fieldOf, textOf } from './json-fields.js';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What axe-core finds wrong with a page: contrast, roles, names; one line for each rule and place. */
export async function accessibilityFaults(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  const result: unknown = await page.evaluate('axe.run()');
  const violations = fieldOf(result, 'violations');
  return (Array.isArray(violations) ? violations : []).flatMap((violation: unknown) => {
    const nodes = fieldOf(violation, 'nodes');
    return (Array.isArray(nodes) ? nodes : []).map(
      (node: unknown) =>
        `${textOf(violation, 'id')}: ${textOf(node, 'html').slice(0, 120)} ${textOf(node, 'failureSummary')}`,
    );
  });
}
