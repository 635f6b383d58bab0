import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { throwIfCancelled } from './cancelled.js';
import { invalidEntry } from './package-errors.js';
import type { ZipArchive } from './zip-archive.js';
import type { ZipEntry } from './zip-entry.js';

/** Takes the next bytes; they are good until the promise settles, after that the buffer may be used again. */
export type ChunkWriter = (chunk: Buffer) => Promise<void>;

export interface ExtractedEntry {
  /** Bytes. */
  size: number;
  /** Lower-case hex, of the inflated bytes. */
  sha256: string;
}

const READ_BYTES = 128 * 1024;

/**
 * Streams an entry's bytes to `write`, one chunk at a time, in constant memory. Checks that they are exactly as many
 * as promised (stops before the first byte too many is written) and that their CRC-32 is right.
 * Throws INVALID_PACKAGE naming the entry, CANCELLED when the signal is given, whatever `write` throws, or node's own
 * error where the disk cannot be read.
 */
export async function extractEntry(
  archive: ZipArchive,
  entry: ZipEntry,
  write: ChunkWriter,
  signal?: AbortSignal,
): Promise<ExtractedEntry> {
  const hash = createHash('sha256');
  let size = 0;
  let crc = 0;
  const take = async (chunk: Buffer): Promise<void> => {
    throwIfCancelled(signal);
    size += chunk.length;
    if (size > entry.size)
      throw invalidEntry(entry.name, `it inflates to more than the ${entry.size} bytes that it promises`);
    crc = crc32(chunk, crc);
    hash.update(chunk);
    await write(chunk);
  };
  throwIfCancelled(signal);
  if (entry.method === 'stored') await readData(archive.file, entry, take);
  else await inflateData(archive, entry, take);
  if (size !== entry.size)
    throw invalidEntry(entry.name, `it inflates to ${size} bytes, ${entry.size} were promised`);
  if (crc !== entry.crc)
    throw invalidEntry(entry.name, `its CRC-32 is ${hex(crc)}, promised was ${hex(entry.crc)}`);
  return { size, sha256: hash.digest('hex') };
}

/** The whole of a small entry (a manifest, a signature). Throws like extractEntry, and where it is over `limit` bytes. */
export async function readSmallEntry(archive: ZipArchive, entry: ZipEntry, limit: number): Promise<Buffer> {
  if (entry.size > limit) throw invalidEntry(entry.name, `it has ${entry.size} bytes; ${limit} are allowed`);
  const whole = Buffer.alloc(entry.size);
  let at = 0;
  await extractEntry(archive, entry, (chunk) => {
    at += chunk.copy(whole, at);
    return Promise.resolve();
  });
  return whole;
}

async function readData(file: FileHandle, entry: ZipEntry, take: ChunkWriter): Promise<void> {
  const buffer = Buffer.allocUnsafe(Math.min(READ_BYTES, entry.compressedSize));
  for (let done = 0; done < entry.compressedSize;) {
    const wanted = Math.min(buffer.length, entry.compressedSize - done);
    const { bytesRead } = await file.read(buffer, 0, wanted, entry.dataOffset + done);
    if (bytesRead === 0) throw invalidEntry(entry.name, 'the file ends within its data');
    await take(buffer.subarray(0, bytesRead));
    done += bytesRead;
  }
}

async function inflateData(
  { file, inflater }: ZipArchive,
  entry: ZipEntry,
  take: ChunkWriter,
): Promise<void> {
  const used = await inflater
    .inflate((write) => readData(file, entry, write), take)
    .catch((error: unknown) => {
      throw isOfZlib(error)
        ? invalidEntry(entry.name, `its data cannot be inflated: ${error.message}`, error)
        : error;
    });
  if (used !== entry.compressedSize)
    throw invalidEntry(entry.name, `its data ends after ${used} of ${entry.compressedSize} bytes`);
}

function isOfZlib(error: unknown): error is Error {
  return (
    error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.startsWith('Z_')
  );
}

function hex(crc: number): string {
  return crc.toString(16).padStart(8, '0');
}
