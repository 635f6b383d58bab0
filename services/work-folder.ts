import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { PackageIdentity } from '../machines/package-order.js';
import type { Kept } from '../machines/update-context.js';
import { isSystemError, makeFolder, makeFolders, removeFile, syncFolder } from './disk.js';

/** Where everything of an update that is not installed yet stands, and the saved state beside it. */
export function tmpDirOf(workDir: string): string {
  return join(workDir, 'tmp');
}

/** A package whose bytes are all there. Its name says what it is: the name in the order is only shown. */
export function packagePath(tmpDir: string, { md5, size }: PackageIdentity): string {
  return join(tmpDir, `${md5}-${size}.zip`);
}

/** A package that is coming in. */
export function partialPath(tmpDir: string, identity: PackageIdentity): string {
  return `${packagePath(tmpDir, identity)}.part`;
}

/** What is known of the partial beside it: whose bytes these are, and how many are surely on disk. */
export function partialNotesPath(tmpDir: string, identity: PackageIdentity): string {
  return `${partialPath(tmpDir, identity)}.json`;
}

const FOLDERS = ['tmp', 'logs'] as const;

/** Makes the work folder and the folders in it where they are missing; those that are there stay as they are. */
export async function makeWorkFolder(workDir: string): Promise<void> {
  const made = await makeFolders('workFolder.make', workDir, 0o755);
  for (const folder of made) await syncFolder('workFolder.make', dirname(folder));
  let isNew = false;
  for (const folder of FOLDERS) {
    isNew = (await makeFolder('workFolder.make', join(workDir, folder), 0o755)) || isNew;
  }
  if (isNew) await syncFolder('workFolder.make', workDir);
}

/**
 * Names that only a download makes: package, partial, the partial's notes, and their temporary. Everything else in
 * tmp/ (the saved state in all its forms, the reserve, what we do not know) is not ours to remove.
 */
const OURS = /^(?:[0-9a-f]{32}-\d+\.zip(?:\.part(?:\.json)?)?|\.[0-9a-f]{32}-\d+\.zip\.part\.json\.tmp)$/;

/**
 * Removes every package, partial and note that is not to be kept. `partial` keeps a package that is whole too: the
 * last byte may have come just before the download was given up. Only to be called while no download is going on.
 */
export async function tidyPackages(
  tmpDir: string,
  kept: Kept,
  identity: PackageIdentity | null,
): Promise<void> {
  const keep = new Set(identity === null ? [] : keptPaths(tmpDir, kept, identity));
  let isGone = false;
  for (const name of await namesIn(tmpDir)) {
    const path = join(tmpDir, name);
    if (!OURS.test(name) || keep.has(path)) continue;
    await removeFile('workFolder.remove', path);
    isGone = true;
  }
  // A package with a wrong digest must not be back after a power cut.
  if (isGone) await syncFolder('workFolder.remove', tmpDir);
}

function keptPaths(tmpDir: string, kept: Kept, identity: PackageIdentity): string[] {
  const whole = packagePath(tmpDir, identity);
  if (kept === 'package') return [whole];
  if (kept === 'nothing') return [];
  return [whole, partialPath(tmpDir, identity), partialNotesPath(tmpDir, identity)];
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return [];
    throw error;
  }
}
