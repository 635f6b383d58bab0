import type { RequestHandler } from 'express';
import { TransportFault } from '../envelope.js';

const JSON_TYPE = /^\s*application\/json\s*(?:;\s*charset\s*=\s*"?utf-?8"?\s*)?(?:;\s*)?$/i;

/**
 * Refuses (415) a body that is not said to be JSON in UTF-8. A page can send any other type without being asked by the
 * browser first; so an absent one counts as JSON only where no browser speaks (Go clients send none).
 */
export const checkContentType: RequestHandler = ({ headers }, _response, next) => {
  const type = headers['content-type'];
  const isBrowser = headers.origin !== undefined || headers['sec-fetch-site'] !== undefined;
  if (type === undefined ? isBrowser : !JSON_TYPE.test(type)) {
    const shown = type === undefined ? 'absent' : JSON.stringify(type.slice(0, 255));
    throw new TransportFault(415, `Content-Type is ${shown}; expected application/json`);
  }
  next();
};
