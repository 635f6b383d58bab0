import type { FileHandle } from 'node:fs/promises';
import { fromRandomAccessReaderPromise, type ZipFile } from 'yauzl';
import { UpdateError, wordsOf } from '../../machines/errors.js';
import { isSystemError } from '../disk.js';
import { Inflater } from './inflater.js';
import { openRegularFile } from './open-regular-file.js';
import { asPackageError, invalidEntry, invalidPackage } from './package-errors.js';
import { ReadWindow, WindowedReader } from './read-window.js';
import { entryOfRecord, type ZipEntry } from './zip-entry.js';
import { placeEntries, type PlacedEntry } from './zip-layout.js';

/** Package format: more entries are refused. */
const MOST_ENTRIES = 100_000;
/** Names are kept in memory; 100,000 entries with names of 250 bytes fit. */
const LARGEST_DIRECTORY = 32 * 1024 * 1024;
const CENTRAL_RECORD_BYTES = 46;
const CENTRAL_SIGNATURE = 0x02014b50;
const MANIFEST = 'manifest.json';

/** A package that is open to be read, its structure checked. */
export interface ZipArchive {
  /** By name, in the order of the central directory. */
  readonly entries: ReadonlyMap<string, ZipEntry>;
  readonly file: FileHandle;
  readonly inflater: Inflater;
  close(): Promise<void>;
}

/**
 * Opens a package and applies every rule of the package format that can be checked without inflating: names, types,
 * flags, methods, duplicates, agreement of local headers and central directory, overlaps. Holds the directory in
 * memory, never the contents. Throws INVALID_PACKAGE naming entry and rule (to be discarded), INCOMPLETE_DOWNLOAD
 * where there is no such file, or node's own error where the disk cannot be read.
 */
export async function openZip(path: string): Promise<ZipArchive> {
  const { file, size } = await openRegularFile(path).catch((error: unknown) => {
    throw asPackageError(error);
  });
  try {
    const entries = await readStructure(file, size);
    const inflater = new Inflater();
    const close = async (): Promise<void> => {
      inflater.close();
      await file.close();
    };
    return { entries, file, inflater, close };
  } catch (error) {
    await file.close();
    throw isSystemError(error) ? error : asInvalid(error);
  }
}

async function readStructure(file: FileHandle, size: number): Promise<Map<string, ZipEntry>> {
  const window = new ReadWindow(file);
  const zip = await fromRandomAccessReaderPromise(new WindowedReader(window), size, {
    autoClose: false,
    // Names are judged by their bytes, and sizes with the name at hand: both in zip-entry.
    decodeStrings: false,
    validateEntrySizes: false,
  });
  if (zip.entryCount > MOST_ENTRIES)
    throw invalidPackage(`the ZIP has ${zip.entryCount} entries; ${MOST_ENTRIES} are allowed`);
  const directoryOffset = cursorOf(zip);
  const entries = await readDirectory(zip, window);
  await placeEntries([...entries.values()], window, directoryOffset);
  return entries;
}

async function readDirectory(zip: ZipFile, window: ReadWindow): Promise<Map<string, PlacedEntry>> {
  const entries = new Map<string, PlacedEntry>();
  const start = cursorOf(zip);
  let at = start;
  try {
    for await (const record of zip.eachEntry()) {
      const entry: PlacedEntry = entryOfRecord(record);
      at = cursorOf(zip);
      if (at - start > LARGEST_DIRECTORY)
        throw invalidPackage(`the central directory is larger than ${LARGEST_DIRECTORY} bytes`);
      if (entries.has(entry.name)) throw invalidEntry(entry.name, 'there are two entries of this name');
      if (entry.name !== MANIFEST && entry.name.toLowerCase() === MANIFEST)
        throw invalidEntry(entry.name, `its name equals ${MANIFEST} but for upper and lower case`);
      entries.set(entry.name, entry);
    }
  } catch (error) {
    if (error instanceof UpdateError || isSystemError(error)) throw error;
    const name = await nameAt(window, at);
    throw name === null ? asInvalid(error) : invalidEntry(name, wordsOf(error), error);
  }
  if (await isRecordAt(window, at))
    throw invalidPackage(
      `the central directory holds more than the ${entries.size} entries that its end tells`,
    );
  return entries;
}

/** Where yauzl reads the next central record; before the first one, where the central directory begins. */
function cursorOf(zip: ZipFile): number {
  // Its type declaration says boolean.
  return Number(zip.readEntryCursor);
}

async function isRecordAt(window: ReadWindow, at: number): Promise<boolean> {
  return (await window.view(at, 4)).readUInt32LE(0) === CENTRAL_SIGNATURE;
}

/** The name in a central record that yauzl could not read, as far as there is one. */
async function nameAt(window: ReadWindow, at: number): Promise<string | null> {
  try {
    if (!(await isRecordAt(window, at))) return null;
    const length = (await window.view(at, CENTRAL_RECORD_BYTES)).readUInt16LE(28);
    return (await window.view(at + CENTRAL_RECORD_BYTES, length)).toString();
  } catch {
    // The record is cut off: the message goes without a name.
    return null;
  }
}

function asInvalid(error: unknown): UpdateError {
  return error instanceof UpdateError
    ? error
    : invalidPackage(`the ZIP is damaged: ${wordsOf(error)}`, error);
}
