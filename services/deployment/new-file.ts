import { constants } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { UpdateError } from '../../machines/errors.js';
import { linkFile, openForReading, openForWriting, setOwnerAndMode, syncFile } from '../disk.js';
import { hashFile } from '../package/hash-file.js';
import type { FileStat } from './live-file.js';
import type { FileRecord } from './release.js';
import type { WishedFile } from './wish.js';

/** Bits that a package may not set, and that are not inherited: set-id, sticky, and writable by all. */
const FORBIDDEN_MODE_BITS = 0o7002;

/** The mode that a file from a package may have. */
export function allowed(mode: number): number {
  return mode & ~FORBIDDEN_MODE_BITS;
}

/**
 * Writes the new file of an operation, with owner and mode, durably. Throws what its content throws, and SHA256_MISMATCH
 * where a signed one does not read back as it was written.
 */
export async function writeNew(
  file: WishedFile,
  newAt: string,
  replaced: FileStat | null,
  { signal, linksObjects }: { signal: AbortSignal; linksObjects: boolean },
): Promise<FileRecord> {
  const object = linksObjects ? file.object : null;
  const target = object === null ? await makeNew(newAt) : await linkObject(object, newAt);
  try {
    const { sha256, size, mode } = await file.content(object === null ? target : null, signal);
    const owner = file.owner ?? replaced ?? { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };
    const finalMode = file.owner === null ? allowed(file.mode ?? mode) : (file.mode ?? mode);
    await setOwnerAndMode('staging.attributes', target, { uid: owner.uid, gid: owner.gid, mode: finalMode });
    await syncFile('staging.sync', target);
    if (file.isSigned === true) await readBack(newAt, sha256, signal);
    return { sha256, size, mode: finalMode, uid: owner.uid, gid: owner.gid, xattrs: {} };
  } finally {
    await target.close();
  }
}

/** What is installed is what lies on the disk, not what was meant to be written. Throws SHA256_MISMATCH. */
async function readBack(newAt: string, written: string, signal: AbortSignal): Promise<void> {
  const { sha256 } = await hashFile(newAt, ['sha256'], { signal });
  if (sha256 !== written)
    throw new UpdateError(
      'SHA256_MISMATCH',
      `${newAt} was written with the digest ${written} and reads back as ${sha256 ?? 'nothing'}`,
      { discard: true },
    );
}

function makeNew(newAt: string): Promise<FileHandle> {
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL;
  return openForWriting('staging.write', newAt, flags, 0o600);
}

async function linkObject(object: string, newAt: string): Promise<FileHandle> {
  await linkFile('staging.link', object, newAt);
  return openForReading(newAt);
}
