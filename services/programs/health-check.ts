import { setTimeout as sleep } from 'node:timers/promises';
import { UpdateError, wordsOf } from '../../machines/errors.js';
import { leadsToLoopback } from '../loopback.js';
import { httpGet } from './http-get.js';
import { howProgramEnded, runProgram } from './run-program.js';
import type { HealthCheck } from '../package/manifest.js';
import type { ServiceManager } from '../service-control/open-service-control.js';

export interface HealthOptions {
  /** Whose health it is, for messages. */
  name: string;
  manager: ServiceManager;
  signal: AbortSignal;
  /** Ms between two attempts. */
  pollMs?: number;
}

const POLL_MS = 500;
/** What even the last attempt gets, in ms: an answer says more than that there was no time for one. */
const LEAST_MS = 1_000;
/** How long one request may take, in ms. */
const REQUEST_MS = 5_000;

/**
 * Asks again and again until the service is well: a GET answered with 2xx, or a program that exits 0. Throws
 * HEALTH_CHECK_FAILED with the last answer when its time is over (a last attempt may take a second more), and at once for a URL that leads elsewhere than to
 * this device; CANCELLED when the signal is aborted.
 */
export async function checkHealth(check: HealthCheck, options: HealthOptions): Promise<void> {
  const { name, signal, pollMs = POLL_MS } = options;
  const deadline = performance.now() + check.timeoutS * 1000;
  for (;;) {
    const leftMs = Math.max(LEAST_MS, Math.ceil(deadline - performance.now()));
    const complaint =
      check.kind === 'http' ? await ask(check.url, leftMs) : await run(check.command, leftMs, options);
    if (signal.aborted) throw new UpdateError('CANCELLED', `the health check of ${name} was given up`);
    if (complaint === null) return;
    if (performance.now() + pollMs >= deadline)
      throw new UpdateError('HEALTH_CHECK_FAILED', `${name}: ${complaint}, for ${check.timeoutS} s`);
    await sleep(pollMs, undefined, { signal }).catch(() => undefined);
  }
}

async function ask(address: string, leftMs: number): Promise<string | null> {
  const url = URL.canParse(address) ? new URL(address) : null;
  if (url?.protocol !== 'http:' || !leadsToLoopback(url))
    throw new UpdateError(
      'HEALTH_CHECK_FAILED',
      `health.http ${address}: expected http:// and a loopback address`,
    );
  const shown = `GET ${url.origin}${url.pathname}`;
  try {
    const { status } = await httpGet(url, Math.min(leftMs, REQUEST_MS));
    return status >= 200 && status < 300 ? null : `${shown} answered ${status}`;
  } catch (error) {
    return `${shown}: ${wordsOf(error)}`;
  }
}

async function run(
  argv: readonly string[],
  leftMs: number,
  { manager, signal }: HealthOptions,
): Promise<string | null> {
  const result = await runProgram(argv, { manager, timeoutMs: leftMs, signal });
  return result.exitCode === 0 ? null : `${argv[0] ?? ''} ${howProgramEnded(result)}`;
}
