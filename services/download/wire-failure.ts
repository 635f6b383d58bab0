import type { Instant } from '../../machines/clock.js';
import { UpdateError } from '../../machines/errors.js';

/** There is no network, or no way to the server: worth waiting for, and no fault of the server. */
const NO_NETWORK = new Set(['EHOSTUNREACH', 'ENETUNREACH', 'ENETDOWN', 'EAI_AGAIN', 'ENOTFOUND']);

/** What OpenSSL and node call a certificate that is not accepted. */
const CERTIFICATE =
  /^(?:CERT_|CRL_|UNABLE_TO_|ERR_TLS_CERT_|ERROR_IN_CERT_|(?:DEPTH_ZERO_)?SELF_SIGNED_|HOSTNAME_MISMATCH$|INVALID_CA$|INVALID_PURPOSE$|PATH_LENGTH_EXCEEDED$)/;

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection cut',
  EPIPE: 'connection cut',
  ERR_HTTP_CONTENT_LENGTH_MISMATCH: 'connection cut',
  ETIMEDOUT: 'connection timed out',
  EHOSTUNREACH: 'host unreachable',
  ENETUNREACH: 'network unreachable',
  ENETDOWN: 'network down',
  EAI_AGAIN: 'no name server answers',
  ENOTFOUND: 'host name not found',
};

/** How far the download was when its connection failed. */
export interface Reached {
  /** The server, fit to be shown. */
  from: string;
  /** Bytes of the package on disk. */
  bytes: number;
  size: number;
  /** Whether the server had begun to send the package. */
  isAnswered: boolean;
}

/**
 * A connection that failed, as an error of the table. Only codes are shown, and no cause is handed on: the words and
 * fields of got's errors hold the URL with its credential.
 */
export function wireFailure(thrown: unknown, reached: Reached, now: Instant): UpdateError {
  const codes = codesIn(thrown);
  const told = codes.map((code) => (code in WORDS ? `${WORDS[code] ?? ''} (${code})` : code)).join(', ');
  const certificate = codes.find((code) => CERTIFICATE.test(code));
  if (certificate !== undefined) return certificateFailure(certificate, reached, now);
  if (reached.isAnswered) {
    const message = `${reached.from} ended at ${reached.bytes} of ${reached.size} bytes: ${told}`;
    return new UpdateError('INCOMPLETE_DOWNLOAD', message, { retry: 'retry' });
  }
  // A host with several addresses fails with all of their codes: one that answered at all is there.
  const isAway = codes.length > 0 && codes.every((code) => NO_NETWORK.has(code));
  return new UpdateError('DOWNLOAD_FAILED', `${reached.from}: ${told}`, {
    retry: isAway ? 'network' : 'retry',
  });
}

function certificateFailure(code: string, { from }: Reached, now: Instant): UpdateError {
  const message = `${from}: certificate not accepted (${code})`;
  if (now.wallIsPlausible) return new UpdateError('DOWNLOAD_FAILED', message);
  const day = new Date(now.wallMs).toISOString().slice(0, 10);
  // The clock may be set any moment now, so it is worth asking again.
  return new UpdateError('DOWNLOAD_FAILED', `${message}; device clock is ${day}`, { retry: 'retry' });
}

/** The codes of the innermost errors: got wraps node's, and node gathers one for each address that it tried. */
function codesIn(thrown: unknown): string[] {
  const found = new Set<string>();
  const visit = (error: unknown): void => {
    if (!(error instanceof Error)) return;
    if ('errors' in error && Array.isArray(error.errors)) error.errors.forEach(visit);
    else if (error.cause instanceof Error) visit(error.cause);
    else found.add('code' in error && typeof error.code === 'string' ? error.code : error.name);
  };
  visit(thrown);
  return [...found];
}
