import { posix } from 'node:path';

// limits.h: NAME_MAX, and PATH_MAX with its final NUL.
const LONGEST_PART = 255;
const LONGEST_PATH = 4095;

/** Why a text cannot be the path of a file to be installed or removed; null where it can. */
export function pathProblem(path: string): string | null {
  if (!path.startsWith('/')) return 'it must be absolute';
  if (path.includes('\0')) return 'it must not hold a NUL';
  const parts = path.split('/');
  if (parts.includes('..')) return 'it must not hold ".."';
  if (path.length > 1 && path.endsWith('/')) return 'it must not end in a slash';
  if (posix.normalize(path) !== path) return 'it must be normalised (no "//", no "/./")';
  if (isLonger(path, LONGEST_PATH)) return `it is longer than ${LONGEST_PATH} bytes`;
  if (parts.some((part) => isLonger(part, LONGEST_PART)))
    return `a part of it is longer than ${LONGEST_PART} bytes`;
  return null;
}

/** Whether a normalised path lies below a folder (and is not that folder). */
export function isBelow(folder: string, path: string): boolean {
  return path.length > folder.length && path.startsWith(folder === '/' ? '/' : `${folder}/`);
}

/** Counts bytes only where it matters: no UTF-16 unit becomes more than three. */
function isLonger(text: string, bytes: number): boolean {
  return text.length * 3 > bytes && Buffer.byteLength(text) > bytes;
}
