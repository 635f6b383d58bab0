import type { Response } from 'express';
import { safeJson } from './credentials.js';

/** One whole answer, ready to be written. */
export interface Reply {
  /** The HTTP status: 200 for every business answer, also for a refused order. */
  status: number;
  type: string;
  text: string;
  headers: Readonly<Record<string, string>>;
}

/** A text of any media type, always UTF-8. */
export function textReply(mediaType: string, text: string): Reply {
  return { status: 200, type: `${mediaType}; charset=utf-8`, text, headers: {} };
}

/** A JSON document, with every web address in it cut to origin and path. */
export function jsonReply(document: unknown, status = 200, headers: Reply['headers'] = {}): Reply {
  return { status, type: 'application/json; charset=utf-8', text: safeJson(document), headers };
}

/** Sends a whole answer; nothing may have been sent before. */
export function writeReply(response: Response, { status, type, text, headers }: Reply): void {
  response.status(status).set(headers).set('Content-Type', type).send(text);
}
