import type { IncomingHttpHeaders } from 'node:http';

/** What tells one file on a server from the one that replaces it. */
export interface Validator {
  header: 'etag' | 'last-modified';
  value: string;
}

/** RFC 9110 8.8.3; a weak one (W/) may stay the same while bytes change. */
const STRONG_ETAG = /^"[\x21\x23-\x7e\x80-\xff]*"$/;

/** The validator that an answer names: its strong ETag, else Last-Modified, else none. */
export function validatorOf(headers: IncomingHttpHeaders): Validator | null {
  const etag = headers.etag?.trim();
  if (etag !== undefined && STRONG_ETAG.test(etag)) return { header: 'etag', value: etag };
  const modified = headers['last-modified']?.trim();
  if (modified === undefined || Number.isNaN(Date.parse(modified))) return null;
  return { header: 'last-modified', value: modified };
}

/** Whether an answer names another file than the validator does. One that names none says nothing. */
export function namesAnotherFile({ header, value }: Validator, headers: IncomingHttpHeaders): boolean {
  const told = headers[header]?.trim();
  // A proxy that touched a partial answer may have made its ETag weak.
  return told !== undefined && told.replace(/^W\//, '') !== value;
}
