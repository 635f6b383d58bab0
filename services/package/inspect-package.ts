import { setImmediate as nextTurn } from 'node:timers/promises';
import { UpdateError } from '../../machines/errors.js';
import { checkDeviceRules, placeProblem, type DeviceRules } from './device-rules.js';
import { hasDroppedBits } from './file-mode.js';
import {
  MANIFEST_MOST_BYTES,
  MANIFEST_NAME,
  parseManifest,
  SIGNATURE_NAME,
  type Manifest,
} from './manifest.js';
import { filesOfModules, type PackageFile } from './module-files.js';
import { invalidEntry, invalidPackage, quote } from './package-errors.js';
import { readSmallEntry } from './read-entry.js';
import { judgeSignature, type SignatureRules } from './signature-policy.js';
import { checkVersionPolicy, type VersionRules } from './version-policy.js';
import { openZip, type ZipArchive } from './zip-archive.js';

/** What the device demands of a package. */
export interface PackageExpectations extends DeviceRules, SignatureRules, VersionRules {
  /** The version that was ordered; null where any is as good. */
  version: string | null;
}

export interface InspectedPackage {
  manifest: Manifest;
  files: PackageFile[];
  /** Bytes that the files inflate to. */
  inflatedBytes: number;
  /** Key id of the signature, null where none was checked. */
  signedBy: string | null;
  /** Things that are allowed but worth saying. */
  warnings: string[];
}

/** Work for well below 20 ms; then others get their turn. */
const FILES_PER_TURN = 200;
/** Room for minisign's longest comments (1 KiB and 8 KiB). */
const SIGNATURE_MOST_BYTES = 16 * 1024;

/**
 * Opens the package at `path` and inspects it; see inspectArchive. Reads the directory, the local headers and the
 * manifest only, so it is cheap to do again. Throws also what openZip throws.
 */
export async function inspectPackage(
  path: string,
  expectations: PackageExpectations,
): Promise<InspectedPackage> {
  const archive = await openZip(path);
  try {
    return await inspectArchive(archive, expectations);
  } finally {
    await archive.close();
  }
}

/**
 * Judges an open package: its signature before anything of the manifest is believed, the manifest, and what its modules
 * bring. Throws SIGNATURE_INVALID, INVALID_PACKAGE, INVALID_MANIFEST, INCOMPATIBLE_DEVICE or VERSION_NOT_ALLOWED, all to
 * be discarded; node's own error where the disk cannot be read.
 */
export async function inspectArchive(
  archive: ZipArchive,
  expectations: PackageExpectations,
): Promise<InspectedPackage> {
  const bytes = await readManifest(archive);
  const signatureEntry = archive.entries.get(SIGNATURE_NAME);
  const signature = signatureEntry
    ? await readSmallEntry(archive, signatureEntry, SIGNATURE_MOST_BYTES)
    : null;
  const { signedBy, warnings } = await judgeSignature(bytes, signature, expectations);
  const manifest = parseManifest(bytes);
  refuseOtherVersion(manifest, expectations.version);
  checkDeviceRules(manifest, expectations);
  checkVersionPolicy(manifest, expectations);
  const files = await filesOfModules(manifest, archive.entries);
  await refuseForeignPlaces(files, expectations);
  const inflatedBytes = files.reduce((sum, file) => sum + file.size, 0);
  return {
    manifest,
    files,
    inflatedBytes,
    signedBy,
    warnings: [...warnings, ...warningsOf(manifest, files)],
  };
}

async function readManifest(archive: ZipArchive): Promise<Buffer> {
  const entry = archive.entries.get(MANIFEST_NAME);
  if (entry === undefined) throw invalidPackage(`there is no ${MANIFEST_NAME} at the root of the ZIP`);
  if (entry.size > MANIFEST_MOST_BYTES)
    throw invalidManifest(`${MANIFEST_NAME} has ${entry.size} bytes; ${MANIFEST_MOST_BYTES} are allowed`);
  return await readSmallEntry(archive, entry, MANIFEST_MOST_BYTES);
}

function refuseOtherVersion({ version }: Manifest, ordered: string | null): void {
  if (ordered !== null && version !== ordered)
    throw invalidManifest(`version is ${quote(version)}: ordered was ${quote(ordered)}`);
}

/** A folder that lies well may still hold a file that does not: one of the updater's own folders below it. */
async function refuseForeignPlaces(files: readonly PackageFile[], rules: DeviceRules): Promise<void> {
  let walked = 0;
  for (const { entry, path } of files) {
    if (++walked % FILES_PER_TURN === 0) await nextTurn();
    const problem = placeProblem(path, rules);
    if (problem !== null) throw invalidEntry(entry.name, `it would become ${quote(path)}: ${problem}`);
  }
}

function warningsOf({ modules }: Manifest, files: readonly PackageFile[]): string[] {
  const warnings: string[] = [];
  const daring = files.filter((file) => hasDroppedBits(file.mode));
  const first = daring[0];
  if (first !== undefined) {
    const more = daring.length > 1 ? ` and ${daring.length - 1} more` : '';
    warnings.push(`Mode bits are dropped (setuid, setgid, sticky or writable by all): ${first.path}${more}`);
  }
  const filled = new Set(files.map((file) => file.module));
  for (const module of modules)
    if (!filled.has(module)) warnings.push(`The folder of module ${module.name} holds no file`);
  return warnings;
}

function invalidManifest(words: string): UpdateError {
  return new UpdateError('INVALID_MANIFEST', words, { discard: true });
}
