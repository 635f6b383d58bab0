import { readFile } from 'node:fs/promises';
import { wordsOf } from '../../machines/errors.js';
import { isSystemError } from '../../services/disk.js';
import { isJsonObject } from '../../services/json-object.js';
import { MANIFEST_NAME, parseManifest, type Manifest } from '../../services/package/manifest.js';
import { PackError, type Source } from './pack-sources.js';

/** A manifest as it will be written: what its author wrote, unknown fields and order included. */
export type WrittenManifest = Record<string, unknown>;

/**
 * Reads the manifest to pack. Its version may be left out; one that differs from `version` is an error.
 * Throws PackError.
 */
export async function readManifestFile(path: string, version: string): Promise<WrittenManifest> {
  const value = parseText(await readText(path), path);
  if (!isJsonObject(value)) throw new PackError(`${path} must hold a JSON object`);
  const own = value['version'];
  if (own !== undefined && own !== version)
    throw new PackError(`${path}: version is ${JSON.stringify(own)}, ordered was ${JSON.stringify(version)}`);
  return { version, ...value };
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR', 'EISDIR'))
      throw new PackError(`there is no manifest ${path}; write one, or name the modules with --module`);
    throw error;
  }
}

function parseText(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new PackError(`${path} is not JSON: ${wordsOf(error)}`);
  }
}

/** The manifest as a device will read it. Throws INVALID_MANIFEST naming each wrong field. */
export function typedManifest(written: WrittenManifest): Manifest {
  return parseManifest(manifestBytes(written));
}

/** The bytes of manifest.json; the same manifest gives the same bytes. */
export function manifestBytes(written: WrittenManifest): Buffer {
  return Buffer.from(`${JSON.stringify(written, null, 2)}\n`);
}

/**
 * Fills in sha256 and mode of each module that is one file. A digest that its author wrote must be right; a mode that
 * its author wrote stays. `sources` has what each module brings, in the manifest's order. Throws PackError.
 */
export function completeManifest(
  written: WrittenManifest,
  manifest: Manifest,
  sources: readonly (readonly Source[])[],
): WrittenManifest {
  const modules = Array.isArray(written['modules']) ? written['modules'] : [];
  const completed = manifest.modules.map((module, index) => {
    const own: unknown = modules[index];
    const source = sources[index]?.[0];
    if (!isJsonObject(own) || source === undefined || module.src.endsWith('/')) return own;
    if (module.sha256 !== null && module.sha256 !== source.sha256)
      throw new PackError(
        `${MANIFEST_NAME}: modules[${index}].sha256 is ${module.sha256}, that of ${module.src} is ${source.sha256}`,
      );
    const mode = module.mode ?? source.mode;
    return { ...own, sha256: source.sha256, mode: `0${mode.toString(8).padStart(3, '0')}` };
  });
  return { ...written, modules: completed };
}
