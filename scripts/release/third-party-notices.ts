import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ProductionPackage } from './production-packages.js';

const LICENSE_FILE = /^(?:licen[cs]e|copying|notice)(?:[.-].*)?$/i;

/** What the licences of the packages want to be told with every copy: each package's name, licence and its words. */
export async function thirdPartyNotices(
  checkout: string,
  packages: readonly ProductionPackage[],
): Promise<string> {
  const parts = [`The updater is made with these packages. Their licences follow.\n`];
  for (const { folder, name, version, license } of packages) {
    const names = (await readdir(join(checkout, folder))).filter((one) => LICENSE_FILE.test(one)).sort();
    const words = await Promise.all(names.map((one) => readFile(join(checkout, folder, one), 'utf8')));
    const text = words.length === 0 ? `(the package brings no words of its licence along)` : words.join('\n');
    parts.push(`${'='.repeat(79)}\n${name} ${version} (${license})\n${'='.repeat(79)}\n${text.trim()}\n`);
  }
  return parts.join('\n');
}
