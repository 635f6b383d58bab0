import { basename } from 'node:path';
import { hashFile } from '../../services/package/hash-file.js';
import { MANIFEST_MOST_BYTES, MANIFEST_NAME, parseManifest } from '../../services/package/manifest.js';
import { invalidPackage } from '../../services/package/package-errors.js';
import { readSmallEntry } from '../../services/package/read-entry.js';
import { openZip } from '../../services/package/zip-archive.js';
import type { PackedPackage } from '../pack/pack-folder.js';

/**
 * What an order says of a package that is a file here, its version from its manifest. Throws INVALID_PACKAGE or
 * INVALID_MANIFEST where it is none, or node's own error where it cannot be read.
 */
export async function readLocalPackage(path: string): Promise<PackedPackage> {
  const version = await versionOf(path);
  const { size, md5, sha256 } = await hashFile(path, ['md5', 'sha256']);
  return {
    version,
    package_name: basename(path),
    package_size: size,
    package_md5: md5 ?? '',
    package_sha256: sha256 ?? '',
  };
}

async function versionOf(path: string): Promise<string> {
  const archive = await openZip(path);
  try {
    const entry = archive.entries.get(MANIFEST_NAME);
    if (entry === undefined) throw invalidPackage(`there is no ${MANIFEST_NAME} at the root of ${path}`);
    return parseManifest(await readSmallEntry(archive, entry, MANIFEST_MOST_BYTES)).version;
  } finally {
    await archive.close();
  }
}
