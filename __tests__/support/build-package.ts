import { createHash } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import { basename, join } from 'node:path';
import { crc32, deflateRawSync } from 'node:zlib';

/** A file that a package brings: its bytes, or the path of a file of this machine. */
export interface Source {
  bytes?: string | Buffer;
  from?: string;
  /** Permission bits of the ZIP entry; 0644 if absent. */
  mode?: number;
  deflated?: boolean;
  /** Told in place of the right one. */
  crc?: number;
}

/** A module: one file, or the files of a folder by their names in it; with more fields of the manifest. */
export interface ModuleSketch {
  name: string;
  dst: string;
  brings: Source | ReadonlyMap<string, Source>;
  also?: Readonly<Record<string, unknown>>;
}

export interface PackageSketch {
  version: string;
  modules: readonly ModuleSketch[];
  /** Fields of the manifest that stand in place of, or beside, those that the sketch makes. */
  manifest?: Readonly<Record<string, unknown>>;
}

/** A package on disk, and what an order says of it. */
export interface BuiltPackage {
  path: string;
  name: string;
  version: string;
  size: number;
  md5: string;
  sha256: string;
}

interface Entry {
  name: string;
  source: Source;
}

/** Writes a package, entry by entry; the manifest comes first. */
export function buildPackage(folder: string, sketch: PackageSketch): BuiltPackage {
  const { version, modules } = sketch;
  const manifest = { version, modules: modules.map(manifestOf), ...sketch.manifest };
  const entries: Entry[] = [
    { name: 'manifest.json', source: { bytes: JSON.stringify(manifest, null, 2) } },
    ...modules.flatMap(entriesOf),
  ];
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `package-${version}-${++built}.zip`);
  return { path, name: basename(path), version, ...writeArchive(path, entries) };
}

let built = 0;

function manifestOf({ name, dst, brings, also }: ModuleSketch) {
  return { name, src: `modules/${name}${brings instanceof Map ? '/' : ''}`, dst, ...also };
}

function entriesOf({ name, brings }: ModuleSketch): Entry[] {
  if (!isFolder(brings)) return [{ name: `modules/${name}`, source: brings }];
  return [...brings].map(([file, source]) => ({ name: `modules/${name}/${file}`, source }));
}

function isFolder(brings: ModuleSketch['brings']): brings is ReadonlyMap<string, Source> {
  return brings instanceof Map;
}

function writeArchive(path: string, entries: readonly Entry[]) {
  const file = openSync(path, 'wx');
  const md5 = createHash('md5');
  const sha256 = createHash('sha256');
  let size = 0;
  const append = (bytes: Buffer): void => {
    for (let done = 0; done < bytes.length;) done += writeSync(file, bytes, done);
    md5.update(bytes);
    sha256.update(bytes);
    size += bytes.length;
  };
  const directory: Buffer[] = [];
  for (const entry of entries) directory.push(appendEntry(entry, size, append));
  const records = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(records.length, 12);
  end.writeUInt32LE(size, 16);
  append(Buffer.concat([records, end]));
  closeSync(file);
  return { size, md5: md5.digest('hex'), sha256: sha256.digest('hex') };
}

/** Appends header and data (APPNOTE 4.3.7); answers with the record for the central directory (4.3.12). */
function appendEntry({ name, source }: Entry, offset: number, append: (bytes: Buffer) => void): Buffer {
  const data = source.from === undefined ? Buffer.from(source.bytes ?? '') : readFileSync(source.from);
  const raw = source.deflated === true ? deflateRawSync(data, { level: 1 }) : data;
  const common = Buffer.alloc(26);
  common.writeUInt16LE(20, 0);
  common.writeUInt16LE(0x0800, 2);
  common.writeUInt16LE(source.deflated === true ? 8 : 0, 4);
  common.writeUInt32LE(0x00210000, 6);
  common.writeUInt32LE(source.crc ?? crc32(data), 10);
  common.writeUInt32LE(raw.length, 14);
  common.writeUInt32LE(data.length, 18);
  common.writeUInt16LE(Buffer.byteLength(name), 22);
  append(Buffer.concat([Buffer.from('PK\x03\x04'), common, Buffer.from(name)]));
  append(raw);
  const rest = Buffer.alloc(14);
  rest.writeUInt32LE(((0o100000 | (source.mode ?? 0o644)) << 16) >>> 0, 6);
  rest.writeUInt32LE(offset, 10);
  // Made by: Unix, so that the mode counts.
  return Buffer.concat([Buffer.from('PK\x01\x02\x14\x03'), common, rest, Buffer.from(name)]);
}
