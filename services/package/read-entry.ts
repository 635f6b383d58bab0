import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { crc32, createInflateRaw, type InflateRaw } from 'node:zlib';
import { throwIfCancelled } from './cancelled.js';
import { noteDeadBuffer } from './dead-buffers.js';
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
const INFLATED_BYTES = 256 * 1024;

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
  else await inflateData(archive.file, entry, take);
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

async function inflateData(file: FileHandle, entry: ZipEntry, take: ChunkWriter): Promise<void> {
  // One byte more than promised shows an entry that is too long; 64 is zlib's least.
  const inflate = createInflateRaw({ chunkSize: Math.max(64, Math.min(INFLATED_BYTES, entry.size + 1)) });
  const feeding = feed(inflate, file, entry);
  try {
    const inflated: AsyncIterable<Buffer> = inflate;
    for await (const chunk of inflated) {
      await take(chunk);
      noteDeadBuffer(chunk.length);
    }
  } catch (error) {
    throw isOfZlib(error)
      ? invalidEntry(entry.name, `its data cannot be inflated: ${error.message}`, error)
      : error;
  } finally {
    inflate.destroy();
    await feeding;
  }
  if (inflate.bytesWritten !== entry.compressedSize)
    throw invalidEntry(
      entry.name,
      `its data ends after ${inflate.bytesWritten} of ${entry.compressedSize} bytes`,
    );
}

/** Writes the compressed bytes from one buffer, each time after zlib is done with the last. Never rejects. */
async function feed(inflate: InflateRaw, file: FileHandle, entry: ZipEntry): Promise<void> {
  try {
    await readData(file, entry, (chunk) => consumed(inflate, chunk));
    inflate.end();
  } catch (error) {
    inflate.destroy(error instanceof Error ? error : new Error(String(error)));
  }
}

/** Answers when zlib has used the chunk; rejects when it never will, so that nothing more is read. */
function consumed(inflate: InflateRaw, chunk: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(new Error('the stream was closed'));
    if (inflate.destroyed) {
      stop();
      return;
    }
    inflate.once('close', stop);
    inflate.write(chunk, () => {
      inflate.off('close', stop);
      resolve();
    });
  });
}

function isOfZlib(error: unknown): error is Error {
  return (
    error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.startsWith('Z_')
  );
}

function hex(crc: number): string {
  return crc.toString(16).padStart(8, '0');
}
