import { createHash, timingSafeEqual } from 'node:crypto';
import type { RequestHandler } from 'express';
import { TransportFault } from '../envelope.js';

/** RFC 6750, section 2.1; the scheme's name is in any case (RFC 9110, section 11.1). */
const CREDENTIALS = /^Bearer +([\w.~+/-]+=*)$/i;

/**
 * Refuses (401) an order that does not carry the bearer token; with no token configured each is let through. What was
 * sent is never repeated, and comparing takes the same time whatever it is.
 */
export function checkToken(token: string | null): RequestHandler {
  if (token === null) return (_request, _response, next) => next();
  const expected = digestOf(token);
  return ({ headers }, _response, next) => {
    const sent = CREDENTIALS.exec(headers.authorization ?? '')?.[1];
    if (sent === undefined || !timingSafeEqual(digestOf(sent), expected)) {
      const what = headers.authorization === undefined ? 'missing' : 'wrong';
      throw new TransportFault(401, `the bearer token is ${what}; orders need the one in TOPE_TOKEN_FILE`, {
        headers: { 'WWW-Authenticate': 'Bearer' },
      });
    }
    next();
  };
}

/** Digests have one length, which comparing in constant time needs. */
function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
