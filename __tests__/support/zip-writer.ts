import { crc32, deflateRawSync } from 'node:zlib';

/** What a header of an entry tells; what is not given is the truth. */
export interface Told {
  name?: Buffer;
  flags?: number;
  method?: number;
  crc?: number;
  compressedSize?: number;
  size?: number;
  extra?: Buffer;
}

export interface EntryDescription {
  name: string | Buffer;
  data?: string | Buffer;
  /** 0 stored (default), 8 deflate; any other is written as stored. */
  method?: number;
  flags?: number;
  /** Whole st_mode, type included. */
  mode?: number;
  /** 3: Unix (default), 0: MS-DOS. */
  host?: number;
  /** The bytes in the archive, in place of the right ones. */
  raw?: Buffer;
  /** Sizes and crc follow the data, and the local header tells zeros. */
  descriptor?: 'signed' | 'unsigned' | 'signed64' | 'unsigned64' | 'missing';
  descriptorTold?: { crc?: number; compressedSize?: number; size?: number };
  /** Sizes and offset stand in ZIP64 fields. */
  zip64?: boolean;
  local?: Told;
  central?: Told & { offset?: number };
}

export interface ZipDescription {
  entries: EntryDescription[];
  comment?: string;
  /** How many entries the end tells. */
  entryCount?: number;
  /** With ZIP64 end records. */
  zip64End?: boolean;
  /** Bytes between the last entry and the central directory. */
  gap?: Buffer;
}

const MAX_16 = 0xffff;
const MAX_32 = 0xffffffff;

/** Writes any ZIP, also a broken one. */
export function writeZip({ entries, comment = '', entryCount, zip64End, gap }: ZipDescription): Buffer {
  const body: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const entry of entries) {
    const { local, central } = entryRecords(entry, offset);
    body.push(local);
    directory.push(central);
    offset += local.length;
  }
  if (gap) body.push(gap);
  offset += gap?.length ?? 0;
  const records = Buffer.concat(directory);
  const count = entryCount ?? entries.length;
  return Buffer.concat([...body, records, end(count, records.length, offset, comment, zip64End === true)]);
}

function entryRecords(entry: EntryDescription, offset: number): { local: Buffer; central: Buffer } {
  const name = Buffer.from(entry.name);
  const data = Buffer.from(entry.data ?? '');
  const method = entry.method ?? 0;
  const raw = entry.raw ?? (method === 8 ? deflateRawSync(data) : data);
  const flags = (entry.flags ?? 0) | (entry.descriptor ? 8 : 0);
  const truth = { name, flags, method, crc: crc32(data), compressedSize: raw.length, size: data.length };
  const zeros = entry.descriptor ? { crc: 0, compressedSize: 0, size: 0 } : {};
  const inLocal = { ...truth, ...zeros, ...entry.local };
  const inCentral = { ...truth, ...entry.central };
  const localExtra = entry.zip64 ? zip64Field([inLocal.size, inLocal.compressedSize]) : Buffer.alloc(0);
  const at = entry.central?.offset ?? offset;
  const centralExtra = entry.zip64
    ? zip64Field([inCentral.size, inCentral.compressedSize, at])
    : Buffer.alloc(0);
  const extra = entry.local?.extra ?? localExtra;
  const fixed = Buffer.alloc(30);
  fixed.writeUInt32LE(0x04034b50, 0);
  fixed.writeUInt16LE(45, 4);
  writeCommon(fixed, 6, inLocal, entry.zip64 === true);
  fixed.writeUInt16LE(extra.length, 28);
  const local = Buffer.concat([
    fixed,
    inLocal.name,
    extra,
    raw,
    descriptorOf(entry, { ...truth, ...entry.descriptorTold }),
  ]);
  const record = Buffer.alloc(46);
  record.writeUInt32LE(0x02014b50, 0);
  record.writeUInt16LE(((entry.host ?? 3) << 8) | 45, 4);
  record.writeUInt16LE(45, 6);
  writeCommon(record, 8, inCentral, entry.zip64 === true);
  const ownExtra = entry.central?.extra ?? centralExtra;
  record.writeUInt16LE(ownExtra.length, 30);
  record.writeUInt32LE(((entry.mode ?? 0o100644) << 16) >>> 0, 38);
  record.writeUInt32LE(entry.zip64 ? MAX_32 : at, 42);
  return { local, central: Buffer.concat([record, inCentral.name, ownExtra]) };
}

/** From the flags to the length of the name both kinds of header have the same fields. */
function writeCommon(into: Buffer, at: number, told: Required<Omit<Told, 'extra'>>, zip64: boolean): void {
  into.writeUInt16LE(told.flags, at);
  into.writeUInt16LE(told.method, at + 2);
  into.writeUInt32LE(0x00210000, at + 4);
  into.writeUInt32LE(told.crc, at + 8);
  into.writeUInt32LE(zip64 ? MAX_32 : told.compressedSize, at + 12);
  into.writeUInt32LE(zip64 ? MAX_32 : told.size, at + 16);
  into.writeUInt16LE(told.name.length, at + 20);
}

function zip64Field(values: number[]): Buffer {
  const field = Buffer.alloc(4 + values.length * 8);
  field.writeUInt16LE(1, 0);
  field.writeUInt16LE(values.length * 8, 2);
  values.forEach((value, index) => field.writeBigUInt64LE(BigInt(value), 4 + index * 8));
  return field;
}

function descriptorOf(
  { descriptor }: EntryDescription,
  told: { crc: number; compressedSize: number; size: number },
): Buffer {
  if (descriptor === undefined || descriptor === 'missing') return Buffer.alloc(0);
  const wide = descriptor.endsWith('64');
  const bytes = Buffer.alloc(wide ? 24 : 16);
  bytes.writeUInt32LE(0x08074b50, 0);
  bytes.writeUInt32LE(told.crc, 4);
  if (wide) {
    bytes.writeBigUInt64LE(BigInt(told.compressedSize), 8);
    bytes.writeBigUInt64LE(BigInt(told.size), 16);
  } else {
    bytes.writeUInt32LE(told.compressedSize, 8);
    bytes.writeUInt32LE(told.size, 12);
  }
  return descriptor.startsWith('signed') ? bytes : bytes.subarray(4);
}

function end(count: number, size: number, offset: number, comment: string, zip64: boolean): Buffer {
  const record = Buffer.alloc(22);
  record.writeUInt32LE(0x06054b50, 0);
  record.writeUInt16LE(Math.min(count, MAX_16), 8);
  record.writeUInt16LE(Math.min(count, MAX_16), 10);
  record.writeUInt32LE(zip64 ? MAX_32 : size, 12);
  record.writeUInt32LE(zip64 ? MAX_32 : offset, 16);
  record.writeUInt16LE(Buffer.byteLength(comment), 20);
  const plain = Buffer.concat([record, Buffer.from(comment)]);
  if (!zip64) return plain;
  const wide = Buffer.alloc(56);
  wide.writeUInt32LE(0x06064b50, 0);
  wide.writeBigUInt64LE(44n, 4);
  wide.writeUInt16LE(45, 12);
  wide.writeUInt16LE(45, 14);
  wide.writeBigUInt64LE(BigInt(count), 24);
  wide.writeBigUInt64LE(BigInt(count), 32);
  wide.writeBigUInt64LE(BigInt(size), 40);
  wide.writeBigUInt64LE(BigInt(offset), 48);
  const locator = Buffer.alloc(20);
  locator.writeUInt32LE(0x07064b50, 0);
  locator.writeBigUInt64LE(BigInt(offset + size), 8);
  locator.writeUInt32LE(1, 16);
  return Buffer.concat([wide, locator, plain]);
}
