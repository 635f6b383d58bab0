import { toUpdateError, UpdateError } from '../../machines/errors.js';
import type { Log } from '../log/log.js';
import { FIRST_PAUSE_MS, longer, msSince, pause } from './pause.js';
import type { ServiceControl, UnitState } from './service-control.js';
import { shortName } from './unit-names.js';
import { isAsGoodAsUp, isDown } from './unit-words.js';

export interface StartOptions {
  signal: AbortSignal;
  log: Log;
  /** Ms that one unit may take to become active. */
  startTimeoutMs?: number;
  /** Ms between the first two looks; then more and more. */
  pollMs?: number;
  /** Told of each unit as soon as it is active, with how many of all that makes. */
  onStarted?: (unit: string, started: number) => void;
}

const START_TIMEOUT_MS = 30_000;

/**
 * Starts units one after another, each as soon as the one before is active (a oneshot: has ended with success). Throws
 * SERVICE_START_FAILED for one that is not active in time, or that is down and not being restarted; CANCELLED when the
 * signal is aborted. Does nothing where nothing can be started.
 */
export async function startUnits(
  control: ServiceControl,
  units: readonly string[],
  options: StartOptions,
): Promise<void> {
  if (!control.canStart) return;
  // A unit that crash-looped has used up its start limit, and would be refused.
  await Promise.all(units.map((unit) => control.resetFailed(unit)));
  for (const [index, unit] of units.entries()) {
    const began = performance.now();
    if (!(await isUpAtOnce(control, unit, options))) await untilStarted(control, unit, { ...options, began });
    options.log.info('unit started', { unit, ms: msSince(began) });
    options.onStarted?.(unit, index + 1);
  }
}

/** Asks for a start of each, in order, and waits for none. Returns how many asked in vain; each has a line in the log. */
export async function askToStartAll(
  control: ServiceControl,
  units: readonly string[],
  log: Log,
): Promise<number> {
  if (!control.canStart) return 0;
  let inVain = 0;
  for (const unit of units) {
    try {
      await control.resetFailed(unit);
      await control.askToStart(unit);
    } catch (error) {
      inVain += 1;
      log.error('unit could not be asked to start', { unit, why: toUpdateError(error).line });
    }
  }
  return inVain;
}

/** Asks for a start; whether the service manager has told by itself that the unit is up. */
async function isUpAtOnce(
  control: ServiceControl,
  unit: string,
  { signal, startTimeoutMs = START_TIMEOUT_MS }: StartOptions,
): Promise<boolean> {
  if (control.startAndWait !== undefined)
    return control.startAndWait(unit, { withinMs: startTimeoutMs, signal });
  await control.askToStart(unit);
  return false;
}

async function untilStarted(
  control: ServiceControl,
  unit: string,
  {
    signal,
    began,
    startTimeoutMs = START_TIMEOUT_MS,
    pollMs = FIRST_PAUSE_MS,
  }: StartOptions & { began: number },
): Promise<void> {
  for (let waitMs = pollMs; ; waitMs = longer(waitMs)) {
    const state = await control.look(unit);
    if (isAsGoodAsUp(state)) return;
    if (isDown(state)) throw failed(state, 'and is not being restarted');
    if (msSince(began) >= startTimeoutMs) throw failed(state, `after ${startTimeoutMs / 1000} s`);
    await pause(waitMs, signal);
  }
}

function failed(state: UnitState, when: string): UpdateError {
  const how = `result ${state.result}, exit status ${state.exitStatus}, ${state.restarts} restarts`;
  return new UpdateError(
    'SERVICE_START_FAILED',
    `${shortName(state.unit)} is ${state.active} ${when} (${how})`,
  );
}
