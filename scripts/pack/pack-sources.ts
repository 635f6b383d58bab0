import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join, posix, resolve } from 'node:path';
import { isSystemError } from '../../services/disk.js';
import { NotARegularFile, openRegularFile } from '../../services/package/open-regular-file.js';
import { MANIFEST_NAME, SIGNATURE_NAME, type ManifestModule } from '../../services/package/manifest.js';
import { entryNameProblem } from '../../services/package/zip-entry.js';

/** Something about the folder or the manifest that makes no package; the message names it. */
export class PackError extends Error {
  override readonly name = 'PackError';
}

/** A file of the folder, on its way into the package. */
export interface Source {
  /** The entry's name in the ZIP. */
  entry: string;
  /** Below the module's dst for a folder, dst itself for a file. */
  path: string;
  contents: Buffer;
  /** Permission bits, those that no device would set left out. */
  mode: number;
  /** Lower-case hex. */
  sha256: string;
}

/** setuid, setgid, sticky and writable by everyone are dropped by every device. */
const KEPT_MODE_BITS = 0o775;

/**
 * Reads what a module brings: its file, or every file below its folder, by name. Throws PackError where there is no
 * such file, or something that no package can hold (a symlink, a device, an odd name).
 */
export async function readSources(dir: string, module: ManifestModule, out: string): Promise<Source[]> {
  const { src, dst } = module;
  if (posix.normalize(src) !== src)
    throw new PackError(`module ${module.name}: src ${src} must be written as ${posix.normalize(src)}`);
  if (!src.endsWith('/')) return [await readSource(dir, src, dst, out)];
  const sources: Source[] = [];
  for (const name of await namesBelow(dir, src))
    sources.push(await readSource(dir, name, `${dst}/${name.slice(src.length)}`, out));
  if (sources.length === 0)
    throw new PackError(`module ${module.name}: there is no file below ${src} in ${dir}`);
  return sources;
}

async function namesBelow(dir: string, folder: string): Promise<string[]> {
  const names: string[] = [];
  for (const child of await childrenOf(dir, folder)) {
    const name = folder + child.name;
    if (child.isDirectory()) names.push(...(await namesBelow(dir, `${name}/`)));
    else names.push(name);
  }
  return names;
}

async function childrenOf(dir: string, folder: string) {
  try {
    return await readdir(join(dir, folder), { withFileTypes: true });
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR'))
      throw new PackError(`there is no folder ${folder} in ${dir}`);
    throw error;
  }
}

async function readSource(dir: string, entry: string, path: string, out: string): Promise<Source> {
  const problem = entryNameProblem(entry);
  if (problem !== null) throw new PackError(`${entry} cannot be packed: ${problem}`);
  if ([MANIFEST_NAME, SIGNATURE_NAME].includes(entry.toLowerCase()))
    throw new PackError(`${entry} cannot be a module: that name is the manifest’s or its signature’s`);
  if (resolve(dir, entry) === resolve(out))
    throw new PackError(`${entry} is the package that is being written; write it elsewhere`);
  const { contents, mode } = await readWhole(join(dir, entry), entry, dir);
  const sha256 = createHash('sha256').update(contents).digest('hex');
  return { entry, path, contents, mode, sha256 };
}

async function readWhole(path: string, entry: string, dir: string) {
  try {
    const { file } = await openRegularFile(path);
    try {
      const { mode } = await file.stat();
      return { contents: await file.readFile(), mode: mode & KEPT_MODE_BITS };
    } finally {
      await file.close();
    }
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) throw new PackError(`there is no file ${entry} in ${dir}`);
    if (error instanceof NotARegularFile)
      throw new PackError(
        `${entry} is not a regular file; a package holds no symlinks, folders as files, or devices`,
      );
    if (isSystemError(error, 'ERR_FS_FILE_TOO_LARGE'))
      throw new PackError(`${entry} is larger than 2 GiB, more than pack can take`);
    throw error;
  }
}
