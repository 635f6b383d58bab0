import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isSystemError } from '../disk.js';

/** Which of these paths are there, found out by one listing of each folder that they stand in. */
export async function pathsThere(paths: Iterable<string | null>): Promise<Set<string>> {
  const asked = new Set([...paths].filter((path) => path !== null));
  const there = new Set<string>();
  for (const folder of new Set([...asked].map((path) => dirname(path)))) {
    for (const name of await namesIn(folder)) {
      const path = join(folder, name);
      if (asked.has(path)) there.add(path);
    }
  }
  return there;
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return [];
    throw error;
  }
}
