import type { Request } from 'express';
import { withoutCredentials } from '../credentials.js';

const MOST = 100;

/** What the program that asks calls itself (RFC 9110, section 10.1.5: User-Agent), cut to 100 printable characters. */
export function callerOf(request: Request): string {
  const name = (request.get('user-agent') ?? '').replace(/[^ -~]/g, '').slice(0, MOST);
  return name === '' ? 'unknown' : withoutCredentials(name);
}
