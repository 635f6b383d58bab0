import { invalidEntry, quote } from './package-errors.js';
import type { ReadWindow } from './read-window.js';
import type { ZipEntry } from './zip-entry.js';
import { descriptorLength, HAS_DESCRIPTOR, readLocalHeader, type LocalHeader } from './zip-records.js';

const ENCRYPTED = 0x0001;

/** An entry whose data offset is still to be told. */
export type PlacedEntry = ZipEntry & { dataOffset: number };

/**
 * Walks the archive in the order of its bytes: every local header must tell what the central directory tells, no two
 * entries may share a byte, and none may reach into the directory. Sets each entry's data offset.
 * Throws INVALID_PACKAGE naming entry and rule.
 */
export async function placeEntries(
  entries: readonly PlacedEntry[],
  window: ReadWindow,
  directoryOffset: number,
): Promise<void> {
  let end = 0;
  let before = '';
  for (const entry of [...entries].sort((a, b) => a.headerOffset - b.headerOffset)) {
    if (entry.headerOffset < end) throw invalidEntry(entry.name, `it overlaps the entry ${quote(before)}`);
    const local = await readLocalHeader(window, entry.headerOffset, directoryOffset);
    if (typeof local === 'string') throw invalidEntry(entry.name, local);
    compareHeaders(entry, local);
    entry.dataOffset = local.dataOffset;
    end = local.dataOffset + entry.compressedSize;
    if (end > directoryOffset) throw invalidEntry(entry.name, 'its data reaches into the central directory');
    if ((local.flags & HAS_DESCRIPTOR) !== 0)
      end += await checkDescriptor(entry, local, window, end, directoryOffset);
    before = entry.name;
  }
}

function compareHeaders(entry: ZipEntry, local: LocalHeader): void {
  const differ = (what: string, here: string | number, there: string | number): never => {
    throw invalidEntry(
      entry.name,
      `its local header tells the ${what} ${here}, the central directory ${there}`,
    );
  };
  if (!local.name.equals(Buffer.from(entry.name)))
    differ('name', quote(local.name.toString()), quote(entry.name));
  if ((local.flags & ENCRYPTED) !== 0)
    throw invalidEntry(entry.name, 'its local header says it is encrypted');
  const method = entry.method === 'stored' ? 0 : 8;
  if (local.method !== method) differ('method', local.method, method);
  // Where the values follow the data, zeros are right here.
  const mayBeZero = (local.flags & HAS_DESCRIPTOR) !== 0;
  const isTold = (here: number, there: number): boolean => here === there || (mayBeZero && here === 0);
  if (!isTold(local.size, entry.size)) differ('size', local.size, entry.size);
  if (!isTold(local.compressedSize, entry.compressedSize))
    differ('compressed size', local.compressedSize, entry.compressedSize);
  if (!isTold(local.crc, entry.crc)) differ('CRC', local.crc, entry.crc);
}

/** Some packers set bit 3, tell everything in the local header all the same, and write no descriptor: no harm in it. */
async function checkDescriptor(
  entry: ZipEntry,
  local: LocalHeader,
  window: ReadWindow,
  offset: number,
  limit: number,
): Promise<number> {
  const length = await descriptorLength(window, offset, limit, entry);
  if (length !== null) return length;
  const isToldBefore =
    local.size === entry.size && local.compressedSize === entry.compressedSize && local.crc === entry.crc;
  if (isToldBefore) return 0;
  throw invalidEntry(entry.name, 'its data descriptor does not tell what the central directory tells');
}
