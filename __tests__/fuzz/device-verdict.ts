import { writeFile } from 'node:fs/promises';
import { toUpdateError, type ErrorCode } from '../../machines/errors.js';
import { entryContent } from '../../services/deployment/wanted-from-package.js';
import { inspectArchive, type PackageExpectations } from '../../services/package/inspect-package.js';
import { openZip } from '../../services/package/zip-archive.js';

/** What a package may be refused with; anything else is a fault of ours. */
const REFUSALS: readonly ErrorCode[] = [
  'INVALID_PACKAGE',
  'INVALID_MANIFEST',
  'SIGNATURE_INVALID',
  'SHA256_MISMATCH',
  'VERSION_NOT_ALLOWED',
  'INCOMPATIBLE_DEVICE',
];

/** What a device makes of a package: a refusal, or each path with the SHA-256 of what would come there. */
export type DeviceVerdict = { refused: ErrorCode; words: string } | { files: Record<string, string> };

/**
 * Writes a package to a path and does all that a device does with it before it stops anything. Throws an Error where it
 * is refused in a way that no package may be refused in.
 */
export async function verdictOn(
  archive: Buffer,
  path: string,
  expectations: PackageExpectations,
): Promise<DeviceVerdict> {
  await writeFile(path, archive);
  try {
    return { files: await inflated(path, expectations) };
  } catch (thrown) {
    const error = toUpdateError(thrown);
    if (!REFUSALS.includes(error.code) || error.facts.discard !== true)
      throw new Error(`a package must not end in ${error.line}`, { cause: thrown });
    return { refused: error.code, words: error.message };
  }
}

async function inflated(path: string, expectations: PackageExpectations): Promise<Record<string, string>> {
  const zip = await openZip(path);
  try {
    const { files } = await inspectArchive(zip, expectations);
    const found: Record<string, string> = {};
    const { signal } = new AbortController();
    for (const file of files) found[file.path] = (await entryContent(zip, file)(null, signal)).sha256;
    return found;
  } finally {
    await zip.close();
  }
}
