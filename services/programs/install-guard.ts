import { toUpdateError } from '../../machines/errors.js';
import { httpGet } from './http-get.js';
import { howProgramEnded, runProgram } from './run-program.js';
import type { ServiceManager } from '../service-control/open-service-control.js';

export interface GuardOptions {
  manager: ServiceManager;
  signal?: AbortSignal;
  timeoutMs?: number;
}

const TIMEOUT_MS = 3_000;
const MAX_WORDS = 200;
/** The states of Moonraker's print_stats object in which nobody waits for a print: a paused one is still a print. */
const FREE_PRINT_STATES = ['standby', 'complete', 'cancelled', 'error'];

/**
 * Asks a configured guard whether the device may be disturbed now: null means free, words mean busy, and no answer or an
 * unclear one is busy too. A guard is a URL or the path of an executable; an empty one is always free.
 *
 * A URL is free or busy by a 2xx answer in JSON: `{ "busy": boolean, "reason"?: string }`, or Moonraker's answer to
 * `/printer/objects/query?print_stats`. An executable is free by exit 0, busy by exit 1 and the first line it prints.
 * Never rejects.
 */
export async function askInstallGuard(guard: string, options: GuardOptions): Promise<string | null> {
  if (guard === '') return null;
  try {
    const words = /^https?:\/\//i.test(guard)
      ? await askUrl(new URL(guard), options)
      : await askProgram(guard, options);
    return words === null ? null : words.slice(0, MAX_WORDS);
  } catch (error) {
    return `the install guard gave no answer: ${toUpdateError(error).message}`.slice(0, MAX_WORDS);
  }
}

async function askUrl(url: URL, { timeoutMs = TIMEOUT_MS }: GuardOptions): Promise<string | null> {
  const { status, body } = await httpGet(url, timeoutMs);
  if (status < 200 || status > 299) return unclear(`status ${status}`);
  let answer: unknown;
  try {
    answer = JSON.parse(body);
  } catch {
    return unclear('not JSON');
  }
  const busy = fieldOf(answer, 'busy');
  if (busy === false) return null;
  if (busy === true) {
    const reason = fieldOf(answer, 'reason');
    return typeof reason === 'string' && reason.trim() !== '' ? firstLine(reason) : 'the device is busy';
  }
  const print = ['result', 'status', 'print_stats', 'state'].reduce(fieldOf, answer);
  if (typeof print !== 'string') return unclear('neither busy nor print_stats.state');
  return FREE_PRINT_STATES.includes(print) ? null : `the printer is ${firstLine(print)}`;
}

async function askProgram(path: string, options: GuardOptions): Promise<string | null> {
  const { manager, signal, timeoutMs = TIMEOUT_MS } = options;
  const result = await runProgram([path], {
    manager,
    timeoutMs,
    keepStderr: false,
    ...(signal === undefined ? {} : { signal }),
  });
  if (result.timedOut || (result.exitCode !== 0 && result.exitCode !== 1))
    return unclear(howProgramEnded(result));
  if (result.exitCode === 0) return null;
  const words = firstLine(result.output);
  return words === '' ? 'the device is busy' : words;
}

function unclear(what: string): string {
  return `the install guard gave no clear answer: ${what}`;
}

function firstLine(text: string): string {
  return text.trim().split('\n')[0]?.trim() ?? '';
}

function fieldOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return new Map<string, unknown>(Object.entries(value)).get(name);
}
