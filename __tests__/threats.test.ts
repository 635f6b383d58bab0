import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';

test('docs/threats.md names a test for each threat, and only tests that are there', () => {
  const rows = readFileSync('docs/threats.md', 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| ') && !line.startsWith('| threat ') && !line.startsWith('| ---'));
  expect(rows.length).toBeGreaterThan(20);
  for (const row of rows) {
    const shown = row.split('|').at(-2) ?? '';
    const names = [...shown.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? '');
    expect([row, names.length > 0]).toEqual([row, true]);
    for (const name of names) expect([name, existsSync(`__tests__/${name}.test.ts`)]).toEqual([name, true]);
  }
});
