import { UpdateError } from '../../machines/errors.js';
import { isSystemError } from '../disk.js';
import { NotARegularFile } from './open-regular-file.js';

const SHOWN_CHARACTERS = 200;

/** A name or value out of a package, fit to stand in a message: quoted, escaped, and not longer than a line or two. */
export function quote(value: unknown): string {
  const text = toJson(typeof value === 'string' ? value.slice(0, SHOWN_CHARACTERS + 1) : value);
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text;
}

function toJson(value: unknown): string {
  try {
    const text: unknown = JSON.stringify(value);
    return typeof text === 'string' ? text : 'nothing';
  } catch (error) {
    // JSON.parse takes any depth, JSON.stringify only as much as the stack.
    if (error instanceof RangeError) return 'a value nested too deeply to be shown';
    throw error;
  }
}

/** The ZIP as a whole breaks a rule of the package format. */
export function invalidPackage(rule: string, cause?: unknown): UpdateError {
  return new UpdateError('INVALID_PACKAGE', rule, { discard: true, cause });
}

/** One entry breaks a rule of the package format; the message names both. */
export function invalidEntry(name: string, rule: string, cause?: unknown): UpdateError {
  return invalidPackage(`entry ${quote(name)}: ${rule}`, cause);
}

/** What opening a package may throw, in the table's codes: gone is INCOMPLETE_DOWNLOAD, no file is INVALID_PACKAGE. */
export function asPackageError(error: unknown): unknown {
  if (error instanceof NotARegularFile)
    return new UpdateError('INVALID_PACKAGE', 'the package is not a regular file', {
      discard: true,
      cause: error,
    });
  if (isSystemError(error, 'ENOENT', 'ENOTDIR'))
    return new UpdateError('INCOMPLETE_DOWNLOAD', 'the package is not on this device any more', {
      cause: error,
    });
  return error;
}
