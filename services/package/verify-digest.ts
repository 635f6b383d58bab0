import { lstat } from 'node:fs/promises';
import { UpdateError } from '../../machines/errors.js';
import type { PackageIdentity } from '../../machines/package-order.js';
import { hashFile, type FileDigests, type HashOptions } from './hash-file.js';
import { asPackageError } from './package-errors.js';

/**
 * Checks that the file at `path` is the package that was ordered: its size, its MD5 (package format: always, it cannot
 * be switched off) and, where the order has one, its SHA-256. Answers with the digests that were computed.
 * Throws PACKAGE_SIZE_MISMATCH, MD5_MISMATCH, SHA256_MISMATCH or INVALID_PACKAGE (no regular file), all to be
 * discarded; INCOMPLETE_DOWNLOAD where there is no such file; CANCELLED when the signal is given.
 */
export async function hashPackage(
  path: string,
  { md5, size }: PackageIdentity,
  sha256: string | null,
  options: HashOptions = {},
): Promise<FileDigests> {
  try {
    refuseOtherSize((await lstat(path)).size, size);
    const digests = await hashFile(path, sha256 === null ? ['md5'] : ['md5', 'sha256'], options);
    refuseOtherSize(digests.size, size);
    if (digests.md5 !== md5.toLowerCase()) throw mismatch('MD5_MISMATCH', md5, digests.md5);
    if (sha256 !== null && digests.sha256 !== sha256.toLowerCase())
      throw mismatch('SHA256_MISMATCH', sha256, digests.sha256);
    return digests;
  } catch (error) {
    throw asPackageError(error);
  }
}

function refuseOtherSize(actual: number, ordered: number): void {
  if (actual !== ordered)
    throw new UpdateError('PACKAGE_SIZE_MISMATCH', `ordered were ${ordered} bytes, on disk are ${actual}`, {
      discard: true,
    });
}

function mismatch(
  code: 'MD5_MISMATCH' | 'SHA256_MISMATCH',
  ordered: string,
  actual: string | null,
): UpdateError {
  return new UpdateError(code, `ordered was ${ordered}, on disk is ${actual ?? 'nothing'}`, {
    discard: true,
  });
}
