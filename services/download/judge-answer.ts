import type { IncomingHttpHeaders } from 'node:http';
import type { Instant } from '../../machines/clock.js';
import { UpdateError, type UpdateErrorFacts } from '../../machines/errors.js';
import { retryAfterMs } from './retry-after.js';
import { namesAnotherFile, type Validator } from './validator.js';

/** What was asked for. */
export interface Asked {
  size: number;
  /** The first byte that is missing. */
  start: number;
  /** The file that the bytes before it are from; null where no server named one. */
  validator: Validator | null;
}

export interface Answered {
  status: number;
  headers: IncomingHttpHeaders;
  from: string;
}

/** Other client errors are not worth a second request: a URL that ran out is ordered anew with a fresh one. */
const WORTH_ASKING_AGAIN = new Set([404, 408, 425, 429]);

/** The partial cannot be continued with what this server sends: the next request asks for the whole. */
const FROM_BYTE_0: UpdateErrorFacts = { retry: 'retry', discard: true };

/**
 * Decides, before the first byte of the body, where in the package it belongs. Throws where it does not belong there
 * at all: no byte is taken that might be another file's.
 */
export function judgeAnswer(answer: Answered, asked: Asked, now: Instant): { from: number } {
  const { status, headers, from } = answer;
  if (status === 416) throw notSatisfiable(answer, asked);
  if (status !== 200 && status !== 206) {
    throw refusal(answer, now);
  }
  const encoding = headers['content-encoding']?.trim().toLowerCase() ?? 'identity';
  if (encoding !== 'identity' && encoding !== '') {
    const message = `${from} sends the package encoded (${encoding}), although it was asked not to`;
    throw new UpdateError('DOWNLOAD_FAILED', message);
  }
  return status === 206 ? judgePart(answer, asked) : judgeWhole(answer, asked);
}

function judgeWhole({ headers, from }: Answered, { size }: Asked): { from: number } {
  const length = headers['content-length'];
  if (length !== undefined && Number(length) !== size) throw otherSize(from, length, size);
  return { from: 0 };
}

function judgePart({ headers, from }: Answered, { start, size, validator }: Asked): { from: number } {
  const told = headers['content-range'];
  if (told === undefined) {
    throw new UpdateError('DOWNLOAD_FAILED', `${from} answered 206 without Content-Range`, FROM_BYTE_0);
  }
  const [, first, , total] = /^bytes (\d+)-(\d+)\/(\d+|\*)$/i.exec(told.trim()) ?? [];
  if (total !== undefined && total !== '*' && Number(total) !== size) throw otherSize(from, total, size);
  if (first === undefined || total === '*' || Number(first) !== start) {
    const message = `${from} answered with ${told} when asked for bytes from ${start} of ${size}`;
    throw new UpdateError('DOWNLOAD_FAILED', message, FROM_BYTE_0);
  }
  if (validator !== null && namesAnotherFile(validator, headers)) {
    const message = `${from} continues with another file than the one that was begun`;
    throw new UpdateError('DOWNLOAD_FAILED', message, FROM_BYTE_0);
  }
  return { from: start };
}

/** We only ask for bytes that a file of the ordered size has, so either the file is shorter or the server is wrong. */
function notSatisfiable({ headers, from }: Answered, { start, size }: Asked): UpdateError {
  const total = /^bytes \*\/(\d+)$/i.exec(headers['content-range']?.trim() ?? '')?.[1];
  if (total !== undefined && Number(total) !== size) return otherSize(from, total, size);
  const message = `${from} answered 416 when asked for bytes from ${start} of ${size}`;
  return new UpdateError('DOWNLOAD_FAILED', message, FROM_BYTE_0);
}

function otherSize(from: string, there: string, ordered: number): UpdateError {
  return new UpdateError('PACKAGE_SIZE_MISMATCH', `${from} has ${there} bytes, ordered were ${ordered}`);
}

/** DOWNLOAD_FAILED for an answer that brings no package, with the advice whether and when to ask again. */
export function refusal(answer: Answered, now: Instant): UpdateError {
  return new UpdateError(
    'DOWNLOAD_FAILED',
    `${answer.from} answered ${answer.status}`,
    adviceFor(answer, now),
  );
}

function adviceFor({ status, headers }: Answered, now: Instant): UpdateErrorFacts {
  const isFinal = status >= 400 && status < 500 && !WORTH_ASKING_AGAIN.has(status);
  if (isFinal) return { retry: 'final' };
  const waitMs = retryAfterMs(headers, now);
  return { retry: 'retry', ...(waitMs === undefined ? {} : { retryAfterMs: waitMs }) };
}
