import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { look, readText, removeFile } from '../disk.js';
import { isJsonObject } from '../json-object.js';

/** How the files of the log are named; `updater.log` links to the newest of them. */
export const LOG_FILES = {
  link: 'updater.log',
  /** Where the rotation notes which files are its own. */
  audit: '.updater-rotation.json',
  /** Numbered, not dated: a device boots in 1970 until it knows the time, and each date would begin a new file. */
  prefix: 'updater-part',
  kept: 3,
  maxBytes: 10 * 1024 * 1024,
} as const;

const PART = new RegExp(`^${LOG_FILES.prefix}(\\.\\d+)?\\.log$`);

/**
 * Makes a folder of log files fit to be gone on with. The rotation trusts its audit file blindly: with one that a power
 * cut left empty it would never delete a file again, and one of another shape would end the process, so such a file is
 * removed. Parts that the audit does not count are surplus, newest kept, until there are three. Rejects with node's
 * errors.
 */
export async function tidyLogFiles(folder: string): Promise<void> {
  const audit = join(folder, LOG_FILES.audit);
  const text = await readText(audit);
  const counted = text === null ? [] : countedFiles(text, folder);
  if (counted === null) await removeFile('log.tidy', audit);
  const others = (await partsNewestFirst(folder)).filter((path) => counted?.includes(path) !== true);
  const room = Math.max(0, LOG_FILES.kept - (counted?.length ?? 0));
  for (const path of others.slice(room)) await removeFile('log.tidy', path);
}

/** The files that an audit counts; null where it is none, or another folder's. */
function countedFiles(text: string, folder: string): string[] | null {
  let audit: unknown;
  try {
    audit = JSON.parse(text);
  } catch {
    return null;
  }
  if (!isJsonObject(audit) || audit['auditLog'] !== join(folder, LOG_FILES.audit)) return null;
  const files: unknown = audit['files'];
  if (!Array.isArray(files)) return null;
  const names = files.flatMap((file: unknown) => (isJsonObject(file) ? nameOf(file, folder) : []));
  return names.length === files.length ? names : null;
}

function nameOf({ name, date, hash }: Readonly<Record<string, unknown>>, folder: string): string[] {
  const isOurs = typeof name === 'string' && dirname(name) === folder && PART.test(basename(name));
  return isOurs && typeof date === 'number' && typeof hash === 'string' ? [name] : [];
}

async function partsNewestFirst(folder: string): Promise<string[]> {
  const parts: { path: string; modifiedMs: number }[] = [];
  for (const name of (await look(folder)) === null ? [] : await readdir(folder)) {
    const path = join(folder, name);
    if (PART.test(name)) parts.push({ path, modifiedMs: (await look(path))?.mtimeMs ?? 0 });
  }
  return parts.sort((a, b) => b.modifiedMs - a.modifiedMs).map(({ path }) => path);
}
