/**
 * The one table of errors: every code that the wire, the log, the state file and the docs may show.
 * `answer` is the integer `code` of an HTTP answer that carries the error, `means` says what happened,
 * `remedy` what the caller can do. docs/errors.md is generated from it.
 */
export const ERRORS = {
  VALIDATION_ERROR: {
    answer: 400,
    means: 'The request is malformed: a field is missing or has the wrong type or form.',
    remedy: 'Correct every field that the message names and send the request again.',
  },
  OPERATION_IN_PROGRESS: {
    answer: 409,
    means: 'Another operation is going on that must not be disturbed.',
    remedy: 'Wait until /progress shows success, failed or idle; a download can be cancelled.',
  },
  DEVICE_BUSY: {
    answer: 409,
    means:
      'The install guard said that the device is busy (a print, also a paused one), or gave no clear answer.',
    remedy: 'Order the update again when the device is free; the package is kept.',
  },
  PACKAGE_NOT_FOUND: {
    answer: 404,
    means: 'No such package or release is on this device.',
    remedy: 'Order the download of that version first; for a rollback see /versions.',
  },
  DOWNLOAD_INCOMPLETE: {
    answer: 409,
    means: 'The package is not wholly on the device yet.',
    remedy: 'Order the download, or wait until /progress shows toInstall.',
  },
  MD5_NOT_VERIFIED: {
    answer: 409,
    means: 'The package is on the device but is still being verified.',
    remedy: 'Wait until /progress shows toInstall.',
  },
  PACKAGE_EXPIRED: {
    answer: 410,
    means: 'The package was verified more than 24 h ago and has been deleted.',
    remedy: 'Order the download again.',
  },
  DOWNLOAD_FAILED: {
    answer: 500,
    means: 'The package could not be fetched: the server refused, or no byte came in four requests.',
    remedy: 'Check URL and network, then order again (a fresh URL resumes the same partial).',
  },
  INCOMPLETE_DOWNLOAD: {
    answer: 500,
    means: 'The server ended before the package was whole.',
    remedy: 'Order again; what was fetched is kept and resumed.',
  },
  PACKAGE_SIZE_MISMATCH: {
    answer: 500,
    means: 'The server has a file of another size than the order says.',
    remedy: 'Correct package_size or the file on the server.',
  },
  MD5_MISMATCH: {
    answer: 500,
    means: 'The bytes that were fetched are not the ones that were ordered.',
    remedy: 'Correct package_md5 or the file on the server, then order again.',
  },
  SHA256_MISMATCH: {
    answer: 500,
    means: 'A SHA-256 digest does not match: of the package, or of a module in it.',
    remedy: 'Build the package again; if the digests are right, suspect the storage.',
  },
  SIGNATURE_INVALID: {
    answer: 500,
    means: 'The manifest is not signed as the device demands, or its signature is wrong.',
    remedy: 'Sign with a key whose .pub file is in the device’s key folder.',
  },
  INVALID_PACKAGE: {
    answer: 500,
    means: 'The ZIP breaks a rule of the package format; the message names entry and rule.',
    remedy: 'Build the package with `tope-updater pack`.',
  },
  INVALID_MANIFEST: {
    answer: 500,
    means: 'manifest.json breaks a rule of the package format; the message names field, value and rule.',
    remedy: 'Correct the manifest and build the package again.',
  },
  VERSION_NOT_ALLOWED: {
    answer: 500,
    means: 'The installed version does not permit this one (min_version, or a downgrade).',
    remedy: 'Install the version that the message names first, or allow the downgrade.',
  },
  INCOMPATIBLE_DEVICE: {
    answer: 500,
    means: 'The package is made for other products than this one.',
    remedy: 'Order the package for this product.',
  },
  DISK_FULL: {
    answer: 500,
    means: 'There is not enough room; the message tells needed and available bytes.',
    remedy: 'Free the space that the message names and order again.',
  },
  SERVICE_STOP_FAILED: {
    answer: 500,
    means: 'A unit may not or could not be stopped.',
    remedy: 'See the unit’s own log; nothing was changed.',
  },
  PROCESS_KILL_FAILED: {
    answer: 500,
    means: 'A process survived SIGKILL; the message gives pid and name.',
    remedy: 'Reboot the device and order again; nothing was changed.',
  },
  DEPLOYMENT_FAILED: {
    answer: 500,
    means: 'Files could not be put in place.',
    remedy: 'See the message; the device runs the version it had.',
  },
  SERVICE_START_FAILED: {
    answer: 500,
    means: 'A unit did not become active within 30 s.',
    remedy: 'See the unit’s own log; the device was rolled back.',
  },
  HEALTH_CHECK_FAILED: {
    answer: 500,
    means: 'A unit did not stay active, or a health check did not pass.',
    remedy: 'See the unit’s own log; the device was rolled back.',
  },
  POST_CMD_FAILED: {
    answer: 500,
    means: 'A post_cmds command failed or took longer than 30 s.',
    remedy: 'Correct the command; the device was rolled back.',
  },
  ROLLBACK_FAILED: {
    answer: 500,
    means: 'Neither the new version nor any older one runs.',
    remedy: 'Look at the units’ logs; docs/operations.md tells how to recover by hand.',
  },
  CANCELLED: {
    answer: 409,
    means: 'The operation was cancelled by an order.',
    remedy: 'Order again when wanted.',
  },
  INTERNAL_ERROR: {
    answer: 500,
    means: 'Something that should not happen did; the message and the log say what.',
    remedy: 'Report it with the log; the service goes on.',
  },
} as const satisfies Record<string, ErrorRow>;

interface ErrorRow {
  answer: 400 | 404 | 409 | 410 | 500;
  means: string;
  remedy: string;
}

export type ErrorCode = keyof typeof ERRORS;

/** Whether a string is one of the table's codes. */
export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(ERRORS, value);
}

/** The errors that are a verdict on the package itself: it can never be installed here, so it is not kept. */
const PACKAGE_VERDICTS: ReadonlySet<ErrorCode> = new Set([
  'PACKAGE_SIZE_MISMATCH',
  'MD5_MISMATCH',
  'SHA256_MISMATCH',
  'SIGNATURE_INVALID',
  'INVALID_PACKAGE',
  'INVALID_MANIFEST',
  'VERSION_NOT_ALLOWED',
  'INCOMPATIBLE_DEVICE',
]);

/** Whether an error says that the package is worthless, so that it shall be deleted. */
export function isPackageVerdict(code: ErrorCode): boolean {
  return PACKAGE_VERDICTS.has(code);
}

/** What a download may do after an error: ask again, wait for a network, or give up. */
export type RetryAdvice = 'retry' | 'network' | 'final';

export interface UpdateErrorFacts {
  /** What was being done (percent of the stage) when it failed; filled in by the effect that failed. */
  progress?: number;
  /** Only for downloads: what to do next. Absent means final. */
  retry?: RetryAdvice;
  /** Only for downloads: how many bytes of the package this request brought. */
  bytesArrived?: number;
  /** Only for downloads: the server's Retry-After, in ms. */
  retryAfterMs?: number;
  /** Whether the partial or package shall be deleted; absent: if the code is a verdict on the package. */
  discard?: boolean;
  cause?: unknown;
}

/** An error of the table, with one sentence that holds the values that matter. */
export class UpdateError extends Error {
  override readonly name = 'UpdateError';
  readonly code: ErrorCode;
  readonly facts: UpdateErrorFacts;

  constructor(code: ErrorCode, message: string, facts: UpdateErrorFacts = {}) {
    super(message, { cause: facts.cause });
    this.code = code;
    this.facts = facts;
  }

  /** `CODE: message`, as it stands on the wire and in the log. */
  get line(): string {
    return `${this.code}: ${this.message}`;
  }

  /** Without facts: a cause may be anything, and the machine's snapshot holds what an actor was rejected with. */
  toJSON(): { code: ErrorCode; message: string } {
    return { code: this.code, message: this.message };
  }
}

/** Any thrown thing as an error of the table: what is not one already is an INTERNAL_ERROR with its own words. Never throws. */
export function toUpdateError(thrown: unknown): UpdateError {
  if (thrown instanceof UpdateError) return thrown;
  return new UpdateError('INTERNAL_ERROR', wordsOf(thrown), { cause: thrown });
}

/** What a thrown thing says, whatever it is: an error's message, a text itself. Never throws. */
export function wordsOf(thrown: unknown): string {
  try {
    const words: unknown = thrown instanceof Error ? thrown.message : thrown;
    return typeof words === 'string' ? words : `not an error but ${String(words)} was thrown`;
  } catch {
    return 'something was thrown that cannot be put into words';
  }
}
