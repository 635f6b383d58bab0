import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { ERRORS } from '../machines/errors.js';
import { STAGES } from '../machines/stage.js';
import { ROUTES } from '../http/routes.js';
import { CONFIGURATION_KEYS } from '../services/configuration/configuration-schema.js';
import { fieldOf } from './support/json-fields.js';
import { runNode } from './support/run-node.js';

/** What the pages say beside what is generated: the names in them must be names of the code. */

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const PAGES = [
  ...readdirSync(ROOT),
  ...['docs', 'docs/decisions'].flatMap((folder) =>
    readdirSync(join(ROOT, folder)).map((name) => join(folder, name)),
  ),
].filter((path) => path.endsWith('.md'));
const matches = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map(([, found = '']) => found);

/** Not settings: where they lie, a tool's own, and what the updater sets for programs that it starts. */
const OTHER_VARIABLES = ['TOPE_CONFIG'];

describe.each(PAGES)('%s', (path) => {
  const page = read(path);

  test('links to files and headings that are there', () => {
    const links = matches(page, /\]\(([^)\s]+)\)/g).filter((link) => !/^[a-z]+:/.test(link));
    const dead = links.filter((link) => {
      const [file = '', heading] = link.split('#');
      const target = file === '' ? path : relative(ROOT, join(ROOT, dirname(path), file));
      if (!existsSync(join(ROOT, target))) return true;
      return heading !== undefined && !headingsOf(read(target)).includes(heading);
    });
    expect(dead).toEqual([]);
  });

  test('names npm scripts, TOPE_ variables and error codes that are there', () => {
    const packageJson: unknown = JSON.parse(read('package.json'));
    const isThere = (name: string) => fieldOf(packageJson, 'scripts', name) !== undefined;
    expect(matches(page, /npm run (?:--silent )?([\w:-]+)/g).filter((name) => !isThere(name))).toEqual([]);
    const variables = [
      ...Object.values(CONFIGURATION_KEYS).map(({ variable }) => variable),
      ...OTHER_VARIABLES,
    ];
    expect(
      matches(page, /\b(TOPE_[A-Z_]+)\b/g).filter((name) => !variables.some((one) => one === name)),
    ).toEqual([]);
    const codes = matches(page, /\b([A-Z]+_(?:MISMATCH|FAILED|NOT_FOUND|ERROR|INVALID|FULL))\b/g);
    expect(codes.filter((code) => !(code in ERRORS))).toEqual([]);
  });
});

function headingsOf(page: string): string[] {
  return matches(page, /^#+ (.*)$/gm).map((heading) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

describe('the README', () => {
  const readme = read('README.md');

  test('names every stage of an update', () => {
    for (const stage of Object.values(STAGES)) expect(readme).toMatch(new RegExp(`\\b${stage}\\b`));
  });

  test('asks only for routes that are there, and shows every order', () => {
    const asked = matches(readme, /\$API(\/\w+)/g);
    const routes = ROUTES.map(({ path }) => path);
    expect(asked.filter((path) => !routes.includes(path))).toEqual([]);
    const orders = ROUTES.filter(({ method }) => method === 'POST').map(({ path }) => path);
    expect(orders.filter((path) => !asked.includes(path))).toEqual([]);
  });
});

describe('the command', () => {
  test('is told of as it is: each command on a page, and on no page one, or an option, that it does not have', async () => {
    const help = async (...words: string[]) =>
      (await runNode('scripts/tope-updater.js', [...words, '--help'])).stdout;
    const commands = matches(await help(), /^ {2}(\w+) /gm);
    const helps = new Map(await Promise.all(commands.map(async (name) => [name, await help(name)] as const)));
    const pages = PAGES.filter((path) => path !== 'CHANGELOG.md')
      .map(read)
      .join('\n');
    const calls = [
      ...pages.matchAll(
        /(?:^|`|; |sudo |npx |bin\/)tope-updater ([a-z]+)((?: [^`;#\n]*(?:\\\n[^`;#\n]*)*)?)/gm,
      ),
    ];
    const told = calls.map(([, name = '']) => name);
    expect(commands.filter((name) => !told.includes(name))).toEqual([]);
    const wrong = calls.flatMap(([, name = '', rest = '']) => {
      const text = helps.get(name);
      if (text === undefined) return [name];
      return matches(rest, /(--[a-z-]+)/g)
        .filter((option) => !text.includes(option))
        .map((option) => `${name} ${option}`);
    });
    expect(wrong).toEqual([]);
  });
});
