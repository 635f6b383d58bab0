import { toUpdateError, UpdateError } from '../machines/errors.js';
import { isVersion } from '../machines/version.js';
import { entryContent } from '../services/deployment/wanted-from-package.js';
import { hashFile } from '../services/package/hash-file.js';
import {
  inspectArchive,
  type InspectedPackage,
  type PackageExpectations,
} from '../services/package/inspect-package.js';
import { openZip } from '../services/package/zip-archive.js';
import { withoutProxies } from '../services/configuration/configuration-sources.js';
import { readConfiguration } from '../services/configuration/read-configuration.js';
import { EXIT, parseWord, printHelp, UsageError } from './command.js';

const HELP = `Usage: tope-updater verify FILE [--keys DIR] [--installed X.Y.Z]

Says what a device would say to a package, without one: inspects it, inflates every file
and checks its digest. Nothing is written. The device is the one that is configured here
(TOPE_CONFIG may name a copy of its config.json), by default one that asks for nothing
special; TOPE_SIGNATURE=required refuses what is not signed.

  --keys DIR         folder of public keys in place of the configured one
  --installed X.Y.Z  the version that the device has; none if absent
  --help             print this

Exit codes: 0 a device would take it, 1 it would not, 2 wrong usage, 78 bad configuration
`;

/** Where install puts the updater, on every device. */
const INSTALL_FOLDER = '/opt/tope/updater';

const OPTIONS = {
  keys: { type: 'string' },
  installed: { type: 'string' },
} as const;

/** Prints a device's verdict on a package: what it brings, or on standard error why it is refused. */
export async function verifyCommand(args: string[]): Promise<number> {
  const { values, word: file } = parseWord(args, OPTIONS, 'FILE');
  if (values.help === true) return printHelp(HELP);
  if (file === undefined) throw new UsageError('FILE is missing');
  const expectations = await expectationsOf(values.keys, values.installed ?? null);
  const { size, md5, sha256 } = await hashFile(file, ['md5', 'sha256']);
  try {
    const inspected = await verifyPackage(file, expectations);
    for (const warning of inspected.warnings) process.stderr.write(`warning: ${warning}\n`);
    process.stdout.write(`${inWords(inspected)}\n${size} bytes, md5 ${md5 ?? ''}, sha256 ${sha256 ?? ''}\n`);
    return EXIT.done;
  } catch (error) {
    if (!(error instanceof UpdateError)) throw error;
    process.stderr.write(`${error.line}\n`);
    return EXIT.failed;
  }
}

/**
 * All that a device checks of a package before it stops anything, staging included, but for what depends on its disk.
 * Throws what the device would fail with.
 */
export async function verifyPackage(
  path: string,
  expectations: PackageExpectations,
): Promise<InspectedPackage> {
  const archive = await openZip(path);
  try {
    const inspected = await inspectArchive(archive, expectations);
    const { signal } = new AbortController();
    for (const file of inspected.files) await entryContent(archive, file)(null, signal);
    return inspected;
  } catch (error) {
    throw toUpdateError(error);
  } finally {
    await archive.close();
  }
}

async function expectationsOf(
  keysDir: string | undefined,
  installedVersion: string | null,
): Promise<PackageExpectations> {
  if (installedVersion !== null && !isVersion(installedVersion))
    throw new UsageError(`--installed is ${installedVersion}; it must be of the form 1.2.3`);
  const { configuration } = await readConfiguration(withoutProxies(process.env));
  return {
    ...configuration,
    version: null,
    roots: [configuration.managedRoot, ...configuration.extraRoots],
    reserved: [INSTALL_FOLDER, configuration.workDir],
    installedVersion,
    ...(keysDir === undefined ? {} : { keysDir }),
  };
}

function inWords({ manifest, files, inflatedBytes, signedBy }: InspectedPackage): string {
  const signature = signedBy === null ? 'not checked for a signature' : `signed by the key ${signedBy}`;
  return `good: ${manifest.version}, ${manifest.modules.length} modules, ${files.length} files, ${inflatedBytes} bytes inflated, ${signature}`;
}
