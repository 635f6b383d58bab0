import { readFile } from 'node:fs/promises';
import { describe, expect, test } from '@jest/globals';
import { coveragePage, gapsIn, readCoverage } from '../../scripts/specification/coverage.js';
import { rulesIn } from '../../scripts/specification/rules.js';
import { testsIn } from '../../scripts/specification/test-names.js';
import { fieldOf } from '../support/json-fields.js';

describe('docs/specification.md', () => {
  test('has a test or a command for each rule, and no test names another', async () => {
    const coverage = await readCoverage();
    expect(gapsIn(coverage)).toEqual([]);
    expect(coverage.rules.length).toBeGreaterThan(300);
  });

  test('has no rule that looks like one and is not read', async () => {
    const page = await readFile('docs/specification.md', 'utf8');
    expect(rulesIn(page)).toHaveLength(page.split('\n').filter((line) => line.startsWith('- ')).length);
  });

  test('names only commands that package.json has', async () => {
    const { rules } = await readCoverage();
    const facts: unknown = JSON.parse(await readFile('package.json', 'utf8'));
    const commands = rules.flatMap(({ command }) => (command === null ? [] : [command]));
    expect(commands.length).toBeGreaterThan(10);
    for (const command of commands) {
      const script = command.split(' ')[2] ?? '';
      expect([command, typeof fieldOf(facts, 'scripts', script)]).toEqual([command, 'string']);
    }
  });
});

describe('the checker', () => {
  const PAGE = '- **W-1** Is kept.\n- **W-2** Is measured. Shown by `npm run bench -- --only cpu`.\n';

  test('reads rules with their commands', () => {
    expect(rulesIn(`# A page\n\nWords.\n\n${PAGE}`)).toEqual([
      { id: 'W-1', text: 'Is kept.', command: null },
      {
        id: 'W-2',
        text: 'Is measured. Shown by `npm run bench -- --only cpu`.',
        command: 'npm run bench -- --only cpu',
      },
    ]);
  });

  test('reads the names of tests and groups, however they are made', () => {
    const source = `
      describe('a group [W-1]', () => {
        test('is quoted “so” [W-2, P-3]', () => undefined);
        test.each([['test [W-9]']])('takes %s', () => undefined);
        for (const n of [1]) test(\`counts \${n} [M-4]\`, () => undefined);
        testIf(ROOT, 'needs root [D-5]', () => undefined);
      });
      // test('is no test [W-8]')
      say('is no test either [W-7]', () => undefined);`;
    expect(testsIn('a/b', source).map(({ file, name, rules }) => [file, name, ...rules])).toEqual([
      ['a/b', 'a group', 'W-1'],
      ['a/b', 'is quoted “so”', 'W-2', 'P-3'],
      ['a/b', 'takes %s'],
      ['a/b', 'counts ${n}', 'M-4'],
      ['a/b', 'needs root', 'D-5'],
    ]);
  });

  test('finds a rule without a test, a test without its rule, and an id that was given twice', () => {
    const tests = testsIn('a', `test('one [W-3]', () => undefined)`);
    expect(gapsIn({ rules: rulesIn(`${PAGE}- **W-2** Again.\n`), tests })).toEqual([
      'no test names W-1: Is kept.',
      'no test names W-2: Again.',
      'W-2 stands there twice',
      'a names W-3, which is no rule: one',
    ]);
  });

  test('writes a row for each rule, with all that shows it', () => {
    const tests = testsIn('a', `test('one | two <b> [W-1, W-2]', () => undefined)`);
    const rows = coveragePage({ rules: rulesIn(PAGE), tests })
      .trimEnd()
      .split('\n')
      .slice(-2);
    expect(rows).toEqual([
      '| W-1 | Is kept. | `a`: one \\| two &lt;b> |',
      '| W-2 | Is measured. Shown by `npm run bench -- --only cpu`. | `a`: one \\| two &lt;b><br>`npm run bench -- --only cpu` |',
    ]);
  });
});
