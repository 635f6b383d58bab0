import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { toUpdateError, type UpdateError } from '../../machines/errors.js';
import type { PackageExpectations } from '../../services/package/inspect-package.js';
import { writeZip, type EntryDescription, type ZipDescription } from './zip-writer.js';

/** What a device demands that has the usual configuration. */
export const EXPECTATIONS: PackageExpectations = {
  version: '1.1.0',
  roots: ['/opt/tope'],
  reserved: ['/opt/tope/updater'],
  allowPostCmds: false,
  signature: 'optional',
  keysDir: '/nonexistent/keys',
  installedVersion: '1.0.0',
  product: '',
  allowDowngrade: false,
};

export const MODULE = { name: 'api', src: 'modules/api', dst: '/opt/tope/api/api' };
export const MODULE_FILE: EntryDescription = { name: 'modules/api', data: '#!/bin/sh\n', mode: 0o100755 };

/** manifest.json with these fields in place of the usual ones; a field that is undefined is left out. */
export function manifestEntry(fields: Record<string, unknown> = {}): EntryDescription {
  return { name: 'manifest.json', data: JSON.stringify({ version: '1.1.0', modules: [MODULE], ...fields }) };
}

/** Writes a package of these entries, by default one good module, and tells its path. */
export async function writePackage(
  folder: string,
  entries: EntryDescription[] = [manifestEntry(), MODULE_FILE],
  options: Omit<ZipDescription, 'entries'> = {},
): Promise<string> {
  const path = join(folder, 'package.zip');
  await writeFile(path, writeZip({ entries, ...options }));
  return path;
}

/** The error that the work is promised to end with. */
export async function errorOf(work: Promise<unknown>): Promise<UpdateError> {
  try {
    await work;
  } catch (error) {
    return toUpdateError(error);
  }
  throw new Error('no error was thrown');
}
