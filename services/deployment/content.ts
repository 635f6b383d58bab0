import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { look } from '../disk.js';
import { hashFile } from '../package/hash-file.js';
import type { WrittenContent } from './wish.js';

const COPY_BYTES = 256 * 1024;

/** SHA-256 of a regular file, in lower-case hex. Throws where it is none. */
export async function sha256OfFile(path: string, signal?: AbortSignal): Promise<string> {
  const { sha256 } = await hashFile(path, ['sha256'], signal === undefined ? {} : { signal });
  return sha256 ?? '';
}

/** The same, or null where nothing is. */
export async function sha256IfThere(path: string): Promise<string | null> {
  return (await look(path)) === null ? null : sha256OfFile(path);
}

/** Copies one open file into another from its beginning (null: only reads it), with the digest of what was read. */
export async function copyHashed(
  source: FileHandle,
  target: FileHandle | null,
  signal: AbortSignal,
): Promise<Omit<WrittenContent, 'mode'>> {
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafe(COPY_BYTES);
  let size = 0;
  for (;;) {
    signal.throwIfAborted();
    const { bytesRead } = await source.read(buffer, 0, buffer.length, size);
    if (bytesRead === 0) return { sha256: hash.digest('hex'), size };
    hash.update(buffer.subarray(0, bytesRead));
    await target?.writeFile(buffer.subarray(0, bytesRead));
    size += bytesRead;
  }
}
