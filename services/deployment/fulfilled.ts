import { recordFile, statFile, type FileStat } from './live-file.js';
import { allowed } from './new-file.js';
import type { FileRecord } from './release.js';
import type { Wish, WishedFile } from './wish.js';

/**
 * Whether nothing has to be done for a wish: the live list says so, or (`hashesAll`) the file does. Throws
 * DEPLOYMENT_FAILED where something else than a regular file stands.
 */
export async function isFulfilled(wish: Wish, hashesAll: boolean, signal: AbortSignal): Promise<boolean> {
  const { path, listed, file } = wish;
  const stat = await statFile(path);
  if (file === null || stat === null) return file === null && stat === null;
  if (!isAsListed(listed, file, hashesAll)) return false;
  return !hashesAll || isThere(path, file, stat, signal);
}

/** By the lists, where the digest is known; when every file is hashed anyway, mode and owner are looked at there. */
function isAsListed(listed: FileRecord | null | undefined, file: WishedFile, contentOnly: boolean): boolean {
  if (!listed || file.sha256 === null || listed.sha256 !== file.sha256) return false;
  return contentOnly || hasModeAndOwner(file, listed);
}

async function isThere(
  path: string,
  file: WishedFile,
  stat: FileStat,
  signal: AbortSignal,
): Promise<boolean> {
  if (stat.size !== file.size || !hasModeAndOwner(file, stat)) return false;
  return (await recordFile(path, stat, {}, signal)).sha256 === file.sha256;
}

function hasModeAndOwner(
  { mode, owner }: WishedFile,
  now: { mode: number; uid: number; gid: number },
): boolean {
  // A restored file (its owner is known) gets the full mode that was found; one from a package never a set-id bit.
  const wanted = mode === null ? now.mode : owner === null ? allowed(mode) : mode;
  return wanted === now.mode && (owner === null || (owner.uid === now.uid && owner.gid === now.gid));
}
