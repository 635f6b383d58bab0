import { isUtf8 } from 'node:buffer';
import type { Entry as CentralRecord } from 'yauzl';
import { invalidEntry } from './package-errors.js';

/** One entry of a package, as the central directory tells it and its local header confirms it. */
export interface ZipEntry {
  readonly name: string;
  /** The name ends in a slash: it brings no bytes. */
  readonly isFolder: boolean;
  readonly method: 'stored' | 'deflated';
  readonly crc: number;
  /** Bytes in the archive. */
  readonly compressedSize: number;
  /** Bytes it promises to inflate to. */
  readonly size: number;
  /** The permission bits of the Unix mode, set-id and sticky bits included; null where the archive has none. */
  readonly mode: number | null;
  readonly headerOffset: number;
  /** Where its bytes begin; told by the local header. */
  readonly dataOffset: number;
}

// APPNOTE 4.4.4: general purpose bits.
const ENCRYPTED = 0x0001 | 0x0040 | 0x2000;
const PATCHED_DATA = 0x0020;
// stat(2): file types.
const TYPE_MASK = 0o170000;
const FILE = 0o100000;
const FOLDER = 0o040000;
const TYPE_NAMES = new Map([
  [0o120000, 'a symlink'],
  [0o060000, 'a block device'],
  [0o020000, 'a character device'],
  [0o010000, 'a FIFO'],
  [0o140000, 'a socket'],
]);
/** APPNOTE 4.4.2: the hosts whose attributes hold a Unix mode (Unix, OS X). */
const UNIX_HOSTS = [3, 19];
/** PATH_MAX, and a depth that no product's tree comes near: both keep hostile archives cheap to check. */
const LONGEST_NAME = 4096;
const DEEPEST_NAME = 100;

/**
 * Checks one record of the central directory against the package format and answers with the entry; its data offset
 * is not known yet. Throws INVALID_PACKAGE naming entry and rule.
 */
export function entryOfRecord(record: CentralRecord): ZipEntry {
  const name = nameOf(record.fileNameRaw);
  const refuse = (rule: string): never => {
    throw invalidEntry(name, rule);
  };
  if ((record.generalPurposeBitFlag & ENCRYPTED) !== 0) refuse('it is encrypted');
  if ((record.generalPurposeBitFlag & PATCHED_DATA) !== 0) refuse('it is patched data');
  const method = methodOf(record.compressionMethod);
  if (method === null)
    return refuse(`unknown compression method ${record.compressionMethod} (stored and deflate are known)`);
  const { uncompressedSize: size, compressedSize } = record;
  if (!Number.isSafeInteger(size) || !Number.isSafeInteger(compressedSize))
    refuse('its size is beyond 2^53 bytes');
  if (method === 'stored' && size !== compressedSize)
    refuse(`it is stored, yet ${compressedSize} bytes shall become ${size}`);
  const isFolder = name.endsWith('/');
  if (isFolder && size !== 0) refuse(`it is a folder, yet has ${size} bytes`);
  const unixMode = record.externalFileAttributes >>> 16;
  const type = unixMode & TYPE_MASK;
  if (type === FOLDER && !isFolder) refuse('it is a folder whose name does not end in a slash');
  if (type !== 0 && type !== FILE && type !== FOLDER)
    refuse(`it is ${TYPE_NAMES.get(type) ?? `of the unknown type 0${type.toString(8)}`}, not a file`);
  const hasMode = UNIX_HOSTS.includes(record.versionMadeBy >> 8) && unixMode !== 0;
  return {
    name,
    isFolder,
    method,
    crc: record.crc32,
    compressedSize,
    size,
    mode: hasMode ? unixMode & 0o7777 : null,
    headerOffset: record.relativeOffsetOfLocalHeader,
    dataOffset: -1,
  };
}

function methodOf(method: number): ZipEntry['method'] | null {
  if (method === 0) return 'stored';
  return method === 8 ? 'deflated' : null;
}

/** The name, decoded as UTF-8 whatever bit 11 says: that is what packers on Linux write with and without it. */
function nameOf(raw: Buffer): string {
  if (!isUtf8(raw)) throw invalidEntry(raw.toString('latin1'), 'its name is not valid UTF-8');
  const name = raw.toString('utf8');
  const rule = entryNameProblem(name);
  if (rule !== null) throw invalidEntry(name, rule);
  return name;
}

/** Why a text cannot be the name of an entry (package format); null where it can. */
export function entryNameProblem(name: string): string | null {
  if (name === '') return 'its name is empty';
  if (Buffer.byteLength(name) > LONGEST_NAME) return `its name is longer than ${LONGEST_NAME} bytes`;
  if (name.includes('\0')) return 'its name holds a NUL';
  if (name.includes('\\')) return 'its name holds a backslash';
  if (name.startsWith('/')) return 'its name is absolute';
  if (/^[A-Za-z]:/.test(name)) return 'its name begins with a drive letter';
  const parts = name.split('/');
  if (parts.includes('..')) return 'its name holds ".."';
  if (parts.length > DEEPEST_NAME) return `it lies more than ${DEEPEST_NAME} folders deep`;
  return null;
}
