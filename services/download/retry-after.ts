import type { IncomingHttpHeaders } from 'node:http';
import type { Instant } from '../../machines/clock.js';

/** A server may ask for as much patience, and no more. */
const LONGEST_MS = 60_000;

/** How long the server asks us to wait (RFC 9110 10.2.3: seconds or a date), or undefined where it does not say. */
export function retryAfterMs(headers: IncomingHttpHeaders, now: Instant): number | undefined {
  const value = headers['retry-after']?.trim() ?? '';
  const waitMs = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - serverNow(headers, now);
  return Number.isNaN(waitMs) ? undefined : Math.min(LONGEST_MS, Math.max(0, waitMs));
}

/** A date in an answer is by the server's clock: ours may be in 1970. */
function serverNow(headers: IncomingHttpHeaders, now: Instant): number {
  const told = Date.parse(headers.date ?? '');
  if (!Number.isNaN(told)) return told;
  return now.wallIsPlausible ? now.wallMs : NaN;
}
