import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Manifest, ManifestModule } from './manifest.js';
import { invalidEntry, quote } from './package-errors.js';
import { refuseCollisions } from './path-collisions.js';
import { pathProblem } from './path-form.js';
import { Problems } from './problems.js';
import type { ZipEntry } from './zip-entry.js';

/** One file that a module brings. */
export interface PackageFile {
  module: ManifestModule;
  entry: ZipEntry;
  /** Where it goes: absolute, normalised, symlinks not resolved. */
  path: string;
  /** The manifest's mode, else the ZIP entry's; null where the file's first bytes decide (see modeOfFile). */
  mode: number | null;
  /** Bytes, inflated. */
  size: number;
  crc: number;
}

/** As many as a package may have entries: two modules may bring the same folder to two places. */
const MOST_FILES = 100_000;
/** Work for well below 20 ms; then others get their turn. */
const ENTRIES_PER_TURN = 200;

/**
 * The files that each module brings, in the order of the manifest, those of a folder in the order of the archive.
 * Throws INVALID_MANIFEST where a src is not in the ZIP, two modules write one path, one writes inside another's file,
 * or a path to be removed is brought as well; INVALID_PACKAGE where the name of an entry makes no path.
 */
export async function filesOfModules(
  manifest: Manifest,
  entries: ReadonlyMap<string, ZipEntry>,
): Promise<PackageFile[]> {
  const problems = new Problems();
  const inFolders = await entriesOfFolders(manifest, entries, problems);
  const files: PackageFile[] = [];
  for (const [index, module] of manifest.modules.entries()) {
    const entry = entries.get(module.src);
    const inside = inFolders.get(module.src) ?? [];
    if (entry === undefined && inside.length === 0)
      problems.add(`modules[${index}].src`, `is ${quote(module.src)}: there is no such entry in the ZIP`);
    if (entry !== undefined && !entry.isFolder) files.push(fileOf(module, entry, module.dst));
    for (const each of inside) {
      files.push(fileInFolder(module, each));
      if (files.length % ENTRIES_PER_TURN === 0) await nextTurn();
    }
  }
  problems.throwIfAny();
  await refuseCollisions(manifest, files);
  return files;
}

function fileOf(module: ManifestModule, entry: ZipEntry, path: string): PackageFile {
  return { module, entry, path, mode: module.mode ?? entry.mode, size: entry.size, crc: entry.crc };
}

function fileInFolder(module: ManifestModule, entry: ZipEntry): PackageFile {
  const path = `${module.dst}/${entry.name.slice(module.src.length)}`;
  const problem = pathProblem(path);
  if (problem !== null) throw invalidEntry(entry.name, `it would become ${quote(path)}: ${problem}`);
  return fileOf(module, entry, path);
}

/** The file entries below each folder that a module names, found in one walk over the archive. */
async function entriesOfFolders(
  { modules }: Manifest,
  entries: ReadonlyMap<string, ZipEntry>,
  problems: Problems,
): Promise<Map<string, ZipEntry[]>> {
  const found = new Map<string, ZipEntry[]>();
  const users = new Map<string, number>();
  for (const { src } of modules) {
    if (!src.endsWith('/')) continue;
    found.set(src, []);
    users.set(src, (users.get(src) ?? 0) + 1);
  }
  if (found.size === 0) return found;
  const lengths = new Set([...found.keys()].map((src) => src.length));
  let count = 0;
  let walked = 0;
  for (const entry of entries.values()) {
    if (++walked % ENTRIES_PER_TURN === 0) await nextTurn();
    if (entry.isFolder) continue;
    for (const folder of foldersAbove(entry.name, lengths)) {
      const list = found.get(folder);
      if (list === undefined) continue;
      list.push(entry);
      count += users.get(folder) ?? 0;
    }
    if (count > MOST_FILES) {
      problems.add('modules', `bring more than ${MOST_FILES} files`);
      problems.throwIfAny();
    }
  }
  return found;
}

/** `a/b/c` → `a/`, `a/b/`, as far as they have one of these lengths. */
function* foldersAbove(name: string, lengths: ReadonlySet<number>): Generator<string> {
  for (let at = name.indexOf('/'); at !== -1; at = name.indexOf('/', at + 1))
    if (lengths.has(at + 1)) yield name.slice(0, at + 1);
}
