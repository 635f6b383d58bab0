import { readdir, readFile } from 'node:fs/promises';
import { rulesIn, type Rule } from './rules.js';
import { testsIn, type NamedTest } from './test-names.js';

const CHECKOUT = new URL('../../../', import.meta.url);
const TESTS = new URL('__tests__/', CHECKOUT);

/** What is promised, and the tests that name what they hold. */
export interface Coverage {
  rules: readonly Rule[];
  tests: readonly NamedTest[];
}

/** Rules and tests of this checkout. */
export async function readCoverage(): Promise<Coverage> {
  const names = await readdir(TESTS, { recursive: true });
  const files = names.filter((name) => name.endsWith('.test.ts')).sort();
  const tests = await Promise.all(
    files.map(async (name) =>
      testsIn(name.replace(/\.test\.ts$/, ''), await readFile(new URL(name, TESTS), 'utf8')),
    ),
  );
  const page = await readFile(new URL('docs/specification.md', CHECKOUT), 'utf8');
  return { rules: rulesIn(page), tests: tests.flat() };
}

/** A sentence for each rule that nothing shows, each id that was given twice, and each that a test names for nothing. */
export function gapsIn({ rules, tests }: Coverage): string[] {
  const ids = rules.map(({ id }) => id);
  const named = new Set(tests.flatMap((test) => test.rules));
  return [
    ...rules
      .filter(({ id, command }) => command === null && !named.has(id))
      .map(({ id, text }) => `no test names ${id}: ${text}`),
    ...ids.filter((id, at) => ids.indexOf(id) !== at).map((id) => `${id} stands there twice`),
    ...tests.flatMap((test) =>
      test.rules
        .filter((id) => !ids.includes(id))
        .map((id) => `${test.file} names ${id}, which is no rule: ${test.name}`),
    ),
  ];
}

const HEAD = `# Coverage

Each rule of the [specification](specification.md), and what would fail if it broke: tests as \`file: name\`, files in
\`__tests__/\`, or the command of a long run. Made by \`npm run docs\`.

| id | rule | shown by |
| -- | ---- | -------- |
`;

/** docs/coverage.md. */
export function coveragePage({ rules, tests }: Coverage): string {
  const rows = rules.map(({ id, text, command }) => {
    const shown = tests
      .filter((test) => test.rules.includes(id))
      .map(({ file, name }) => `\`${file}\`: ${name}`);
    return `| ${[id, text, [...shown, ...(command === null ? [] : [`\`${command}\``])].join('\n')].map(cell).join(' | ')} |`;
  });
  return `${HEAD}${rows.join('\n')}\n`;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;').replaceAll('\n', '<br>');
}
