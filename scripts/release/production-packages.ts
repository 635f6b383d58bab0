import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** An installed package that the updater needs on a device. */
export interface ProductionPackage {
  /** Its folder, from the checkout on: `node_modules/got`. */
  folder: string;
  name: string;
  version: string;
  license: string;
}

/**
 * The packages that run on a device, as package-lock.json lists them; those for development and those of types are left
 * out. Throws where the lockfile is not one of npm's.
 */
export async function productionPackages(checkout: string): Promise<ProductionPackage[]> {
  const lockfile: unknown = JSON.parse(await readFile(join(checkout, 'package-lock.json'), 'utf8'));
  const packages = Object.entries(recordIn(lockfile, 'packages'));
  return packages
    .filter(([folder, facts]) => folder !== '' && !folder.includes('@types/') && !isFor(facts, 'dev'))
    .map(([folder, facts]) => ({
      folder,
      name: folder.slice(folder.lastIndexOf('node_modules/') + 'node_modules/'.length),
      version: textIn(facts, 'version'),
      license: textIn(facts, 'license'),
    }));
}

function isFor(facts: unknown, kind: 'dev'): boolean {
  return typeof facts === 'object' && facts !== null && kind in facts;
}

function recordIn(value: unknown, name: string): Record<string, unknown> {
  const found = fieldOf(value, name);
  if (typeof found !== 'object' || found === null) throw new Error(`package-lock.json has no ${name}`);
  return { ...found };
}

function textIn(value: unknown, name: string): string {
  const found = fieldOf(value, name);
  return typeof found === 'string' ? found : 'unknown';
}

function fieldOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return new Map<string, unknown>(Object.entries(value)).get(name);
}
