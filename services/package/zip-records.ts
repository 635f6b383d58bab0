import type { ReadWindow } from './read-window.js';

/**
 * The records of a ZIP that yauzl does not compare with the central directory: local headers and data descriptors.
 * Offsets are those of APPNOTE 4.3.7 and 4.3.9.
 */
export interface LocalHeader {
  flags: number;
  method: number;
  crc: number;
  compressedSize: number;
  size: number;
  name: Buffer;
  dataOffset: number;
}

/** APPNOTE 4.4.4, bit 3: crc and sizes follow the data. */
export const HAS_DESCRIPTOR = 0x0008;
const LOCAL_HEADER_BYTES = 30;

const LOCAL_SIGNATURE = 0x04034b50;
const DESCRIPTOR_SIGNATURE = 0x08074b50;
const DESCRIPTOR_MOST_BYTES = 24;
const ZIP64_FIELD = 0x0001;
const IN_ZIP64_FIELD = 0xffffffff;

/**
 * The local header at an offset; a string says why there is none. `limit` is where the central directory begins.
 */
export async function readLocalHeader(
  window: ReadWindow,
  offset: number,
  limit: number,
): Promise<LocalHeader | string> {
  if (offset + LOCAL_HEADER_BYTES > limit) return 'its local header lies outside the archive';
  const fixed = await window.view(offset, LOCAL_HEADER_BYTES);
  if (fixed.readUInt32LE(0) !== LOCAL_SIGNATURE) return 'there is no local header where it should be';
  const nameLength = fixed.readUInt16LE(26);
  const extraLength = fixed.readUInt16LE(28);
  const header = {
    flags: fixed.readUInt16LE(6),
    method: fixed.readUInt16LE(8),
    crc: fixed.readUInt32LE(14),
    compressedSize: fixed.readUInt32LE(18),
    size: fixed.readUInt32LE(22),
    dataOffset: offset + LOCAL_HEADER_BYTES + nameLength + extraLength,
  };
  if (header.dataOffset > limit) return 'its local header reaches into the central directory';
  const rest = await window.view(offset + LOCAL_HEADER_BYTES, nameLength + extraLength);
  const local = { ...header, name: rest.subarray(0, nameLength) };
  return resolveZip64(local, rest.subarray(nameLength)) ? local : 'its local ZIP64 field lacks a size';
}

/** APPNOTE 4.5.3: the sizes that did not fit stand in the ZIP64 field, in this order. */
function resolveZip64(header: LocalHeader, extra: Buffer): boolean {
  if (header.size !== IN_ZIP64_FIELD && header.compressedSize !== IN_ZIP64_FIELD) return true;
  const field = extraField(extra, ZIP64_FIELD);
  if (field === null) return false;
  let at = 0;
  const next = (): number | null => {
    if (at + 8 > field.length) return null;
    at += 8;
    return Number(field.readBigUInt64LE(at - 8));
  };
  const size = header.size === IN_ZIP64_FIELD ? next() : header.size;
  const compressedSize = header.compressedSize === IN_ZIP64_FIELD ? next() : header.compressedSize;
  if (size === null || compressedSize === null) return false;
  header.size = size;
  header.compressedSize = compressedSize;
  return true;
}

function extraField(extra: Buffer, wanted: number): Buffer | null {
  for (let at = 0; at + 4 <= extra.length;) {
    const end = at + 4 + extra.readUInt16LE(at + 2);
    if (end > extra.length) return null;
    if (extra.readUInt16LE(at) === wanted) return extra.subarray(at + 4, end);
    at = end;
  }
  return null;
}

export interface Promised {
  crc: number;
  compressedSize: number;
  size: number;
}

/**
 * How many bytes the data descriptor at `offset` takes. It may have a signature or not, and sizes of 4 or 8 bytes;
 * null where none of these forms tells what was promised.
 */
export async function descriptorLength(
  window: ReadWindow,
  offset: number,
  limit: number,
  promised: Promised,
): Promise<number | null> {
  const bytes = await window.view(offset, Math.min(DESCRIPTOR_MOST_BYTES, limit - offset));
  for (const signed of [true, false])
    for (const wide of [false, true]) {
      const start = signed ? 4 : 0;
      const length = start + (wide ? 20 : 12);
      if (bytes.length < length || (signed && bytes.readUInt32LE(0) !== DESCRIPTOR_SIGNATURE)) continue;
      const sizeAt = (at: number): number =>
        wide ? Number(bytes.readBigUInt64LE(at)) : bytes.readUInt32LE(at);
      const tells =
        bytes.readUInt32LE(start) === promised.crc &&
        sizeAt(start + 4) === promised.compressedSize &&
        sizeAt(start + (wide ? 12 : 8)) === promised.size;
      if (tells) return length;
    }
  return null;
}
