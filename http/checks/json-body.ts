import { isUtf8 } from 'node:buffer';
import express, { type RequestHandler } from 'express';
import { UpdateError } from '../../machines/errors.js';
import { TransportFault } from '../envelope.js';

/** The largest request body, in bytes. */
const MAX_BODY_BYTES = 64 * 1024;

const parse: RequestHandler = express.json({
  type: () => true,
  limit: MAX_BODY_BYTES,
  inflate: false,
  strict: false,
  verify: (_request, _response, bytes) => {
    if (!isUtf8(bytes)) throw new Error('not UTF-8');
  },
});

/**
 * Reads the JSON body into `request.body`; no body counts as `{}`. Throws a transport fault 413 for more than
 * MAX_BODY_BYTES (before reading them, where Content-Length tells) and 415 for a compressed body, VALIDATION_ERROR for
 * malformed JSON. What the parser says of it is not repeated: it quotes the body, which holds a credential.
 */
export const readJsonBody: RequestHandler = (request, response, next) => {
  if (Number(request.headers['content-length'] ?? 0) > MAX_BODY_BYTES) throw tooLarge();
  parse(request, response, (thrown?: unknown) => {
    if (thrown !== undefined) {
      next(bodyFault(thrown));
      return;
    }
    if (request.body === undefined) request.body = {};
    next();
  });
};

function tooLarge(): TransportFault {
  return new TransportFault(413, `the body is over ${MAX_BODY_BYTES} bytes`);
}

function bodyFault(thrown: unknown): Error {
  switch (typeOf(thrown)) {
    case 'entity.too.large':
      return tooLarge();
    case 'encoding.unsupported':
    case 'charset.unsupported':
      return new TransportFault(415, 'the body is encoded; expected plain JSON in UTF-8');
    case 'entity.verify.failed':
      return new UpdateError('VALIDATION_ERROR', 'the body is not UTF-8');
    case 'entity.parse.failed':
      return new UpdateError('VALIDATION_ERROR', 'the body is not well-formed JSON');
    default:
      return new UpdateError('VALIDATION_ERROR', 'the body ended too early or has another length than told');
  }
}

function typeOf(thrown: unknown): unknown {
  return thrown instanceof Error && 'type' in thrown ? thrown.type : null;
}
