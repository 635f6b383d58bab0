import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { aFewAtOnce } from '../a-few-at-once.js';
import { exeOf, mappedFilesOf, readProcesses, scriptOf, type ProcessFacts } from './proc.js';

export interface FileUser {
  process: ProcessFacts;
  /** The one of the paths asked for that it uses (the first that was found). */
  path: string;
}

/**
 * The processes, other than this one, that run, map or interpret one of these files (real paths) now, also where the
 * file was replaced since they started.
 */
export async function findFileUsers(paths: readonly string[]): Promise<FileUser[]> {
  if (paths.length === 0) return [];
  const wanted = new Wanted(paths);
  const processes = (await readProcesses()).filter(({ pid }) => pid !== process.pid);
  const users: FileUser[] = [];
  await aFewAtOnce(processes, async (process) => {
    const path = await pathUsedBy(process.pid, wanted);
    if (path !== null) users.push({ process, path });
  });
  return users.sort((a, b) => a.process.pid - b.process.pid);
}

async function pathUsedBy(pid: number, wanted: Wanted): Promise<string | null> {
  const exe = await exeOf(pid);
  if (exe === null) return null;
  const script = await scriptOf(pid, exe);
  const used = new Set([exe, ...(script === null ? [] : [script]), ...(await mappedFilesOf(pid))]);
  for (const path of used) {
    const found = await wanted.find(pid, path);
    if (found !== null) return found;
  }
  return null;
}

/** The files that are looked for, by path and by name. */
class Wanted {
  readonly #paths: Set<string>;
  readonly #byName = new Map<string, string[]>();

  constructor(paths: readonly string[]) {
    this.#paths = new Set(paths);
    for (const path of paths) {
      const name = basename(path);
      this.#byName.set(name, [...(this.#byName.get(name) ?? []), path]);
    }
  }

  /** The wanted path that a process knows as `path`: a unit may see its folder mounted at another place. */
  async find(pid: number, path: string): Promise<string | null> {
    if (this.#paths.has(path)) return path;
    for (const candidate of this.#byName.get(basename(path)) ?? [])
      if (await isSameFile(`/proc/${pid}/root${path}`, candidate)) return candidate;
    return null;
  }
}

async function isSameFile(one: string, other: string): Promise<boolean> {
  const [a, b] = await Promise.all([one, other].map((path) => stat(path).catch(() => null)));
  return a != null && b != null && a.dev === b.dev && a.ino === b.ino;
}
