import { createHash, type Hash } from 'node:crypto';
import { throwIfCancelled } from './cancelled.js';
import { openRegularFile } from './open-regular-file.js';

export type DigestAlgorithm = 'md5' | 'sha256';

export interface HashOptions {
  signal?: AbortSignal;
  /** Called after each read with the bytes hashed so far. */
  onProgress?: (bytes: number) => void;
}

export interface FileDigests {
  /** Bytes that were read. */
  size: number;
  /** Lower-case hex; null where it was not asked for. */
  md5: string | null;
  sha256: string | null;
}

/** Large enough to make the calls cheap, small enough that hashing one buffer stays far below 20 ms on a slow core. */
const READ_BYTES = 512 * 1024;

/**
 * Digests of a regular file, in one pass, with one buffer. Throws NotARegularFile, CANCELLED when the signal is given,
 * or node's own error.
 */
export async function hashFile(
  path: string,
  algorithms: readonly DigestAlgorithm[],
  { signal, onProgress }: HashOptions = {},
): Promise<FileDigests> {
  const hashes = new Map<DigestAlgorithm, Hash>(algorithms.map((name) => [name, createHash(name)]));
  const { file, size: expected } = await openRegularFile(path);
  try {
    const buffer = Buffer.allocUnsafe(Math.min(READ_BYTES, Math.max(expected, 1)));
    let size = 0;
    for (;;) {
      throwIfCancelled(signal);
      const { bytesRead } = await file.read(buffer, 0, buffer.length, size);
      if (bytesRead === 0) break;
      const chunk = buffer.subarray(0, bytesRead);
      for (const hash of hashes.values()) hash.update(chunk);
      size += bytesRead;
      onProgress?.(size);
    }
    const hexOf = (name: DigestAlgorithm): string | null => hashes.get(name)?.digest('hex') ?? null;
    return { size, md5: hexOf('md5'), sha256: hexOf('sha256') };
  } finally {
    await file.close();
  }
}
