import AdmZip from 'adm-zip';
import { MANIFEST_NAME, SIGNATURE_NAME } from '../../services/package/manifest.js';
import { PackError } from './pack-sources.js';

export interface ArchiveFile {
  entry: string;
  contents: Buffer;
  /** Permission bits. */
  mode: number;
}

/** adm-zip writes neither larger archives nor more entries in the form that every reader takes. */
const MOST_BYTES = 4_000_000_000;
const MOST_ENTRIES = 65_000;
/** 1 January 1980, midnight: the first moment that a ZIP can tell (APPNOTE 4.4.6). */
const FIRST_MOMENT = 0x00210000;
/** APPNOTE 4.4.2: made on Unix, by version 2.0 of the format, wherever it was made. */
const MADE_ON_UNIX = 0x0314;

/**
 * A ZIP of these files with the manifest first, its signature (if there is one) next, and the others by name. The same files give the same bytes: no time, no
 * owner, nothing of the machine gets in. Throws PackError where it would become too large.
 */
export function writeArchive(
  manifest: Buffer,
  signature: Buffer | null,
  files: readonly ArchiveFile[],
): Buffer {
  const byName = new Map(files.map((file) => [file.entry, file]));
  if (byName.size > MOST_ENTRIES)
    throw new PackError(`the package would have ${byName.size} files; pack can take ${MOST_ENTRIES}`);
  const bytes = [...byName.values()].reduce((sum, file) => sum + file.contents.length, 0);
  if (bytes > MOST_BYTES)
    throw new PackError(`the package would hold ${bytes} bytes; pack can take ${MOST_BYTES}`);
  const zip = new AdmZip({ noSort: true });
  add(zip, { entry: MANIFEST_NAME, contents: manifest, mode: 0o644 });
  if (signature !== null) add(zip, { entry: SIGNATURE_NAME, contents: signature, mode: 0o644 });
  for (const [, file] of [...byName].sort(([a], [b]) => (a < b ? -1 : 1))) add(zip, file);
  return zip.toBuffer();
}

function add(zip: AdmZip, { entry, contents, mode }: ArchiveFile): void {
  zip.addFile(entry, contents, '', mode);
  const header = zip.getEntry(entry)?.header;
  if (header === undefined) throw new PackError(`${entry} cannot be packed under that name`);
  header.timeval = FIRST_MOMENT;
  header.made = MADE_ON_UNIX;
}
