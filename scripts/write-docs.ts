import { readFile, writeFile } from 'node:fs/promises';
import { apiPage } from './docs/api-page.js';
import { configurationTable } from './docs/configuration-table.js';
import { errorsPage } from './docs/errors-table.js';
import { layOut } from './picture/lay-out.js';
import { graphOf } from './picture/machine-graph.js';
import { mermaidOf } from './picture/mermaid.js';
import { svgOf, withStyle } from './picture/svg.js';
import { coveragePage, readCoverage } from './specification/coverage.js';
import { ROUTES } from '../http/routes.js';
import { updateMachine } from '../machines/update-machine.js';

/** The folder of the docs, seen from the built file. */
const DOCS = new URL('../../docs/', import.meta.url);

/** A file, a page of the docs mostly, that is made, wholly or in part, from the code. */
export interface GeneratedPage {
  file: URL;
  /** The page as it should be, from the page as it is. */
  renew: (page: string) => string | Promise<string>;
}

const STYLE = new URL('../pages/machine.css', DOCS);

/** All files that a change of the code can make stale. */
export const GENERATED_PAGES: readonly GeneratedPage[] = [
  {
    file: new URL('architecture.md', DOCS),
    renew: (page) =>
      betweenMarkers(page, 'machine', `\`\`\`mermaid\n${mermaidOf(graphOf(updateMachine))}\`\`\``),
  },
  { file: new URL('errors.md', DOCS), renew: errorsPage },
  { file: new URL('api.md', DOCS), renew: () => apiPage(ROUTES) },
  {
    file: new URL('machine.svg', DOCS),
    renew: async () => withStyle(await machinePicture(), await readFile(STYLE, 'utf8')),
  },
  {
    file: new URL('../http/pages/machine-picture.ts', DOCS),
    renew: async () => `${PICTURE_HEAD}\`${await machinePicture()}\`;\n`,
  },
  {
    file: new URL('../README.md', DOCS),
    renew: (page) => betweenMarkers(page, 'configuration', configurationTable().trim()),
  },
  { file: new URL('coverage.md', DOCS), renew: async () => coveragePage(await readCoverage()) },
];

const PICTURE_HEAD = `/** The machine, laid out; made by npm run docs. */
export const MACHINE_PICTURE = `;

async function machinePicture(): Promise<string> {
  return svgOf(await layOut(graphOf(updateMachine)));
}

/** A page with what stands between its two markers replaced. Throws an Error where the markers are missing. */
export function betweenMarkers(page: string, name: string, content: string): string {
  const [start, end] = [`<!-- ${name}: made by npm run docs -->`, `<!-- /${name} -->`];
  const [from, to] = [page.indexOf(start), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`the markers ${start} and ${end} are missing or out of order`);
  return `${page.slice(0, from + start.length)}\n\n${content}\n\n${page.slice(to)}`;
}

/** Brings every generated page up to date. */
export async function writeDocs(): Promise<void> {
  for (const { file, renew } of GENERATED_PAGES) {
    const page = await readFile(file, 'utf8').catch(() => '');
    await writeFile(file, await renew(page));
  }
}

if (process.argv[1] === import.meta.filename) await writeDocs();
