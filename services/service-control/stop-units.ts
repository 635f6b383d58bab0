import { UpdateError } from '../../machines/errors.js';
import type { Log } from '../log/log.js';
import { FIRST_PAUSE_MS, longer, msSince, pause } from './pause.js';
import { isAlive, readProcess, type ProcessFacts } from './proc.js';
import type { ServiceControl, UnitState } from './service-control.js';
import { isDown } from './unit-words.js';

/** How a unit's processes ended; `idle`: there were none. */
export type StopWay = 'idle' | 'SIGTERM' | 'SIGKILL';

export interface StoppedUnit {
  unit: string;
  way: StopWay;
  /** Ms from asking until it was gone. */
  tookMs: number;
}

export interface StopOptions {
  signal: AbortSignal;
  log: Log;
  /** Ms between the first two looks; then more and more. */
  pollMs?: number;
  /** Ms after which a unit that was asked to stop gets SIGKILL. */
  killAfterMs?: number;
  /** Ms after SIGKILL at which it is given up. */
  giveUpMs?: number;
}

const KILL_AFTER_MS = 10_000;
const GIVE_UP_MS = 5_000;

/**
 * Stops units one after another: asks, polls, and sends SIGKILL to all that the unit has started when it is not gone in
 * time, or when it is down but has left processes behind. Gone means: down, and its old main process is not there any
 * more. Throws PROCESS_KILL_FAILED with pid and name for what survives, SERVICE_STOP_FAILED where asking is refused,
 * CANCELLED when the signal is aborted; what was stopped until then stays stopped.
 */
export async function stopUnits(
  control: ServiceControl,
  units: readonly string[],
  options: StopOptions,
): Promise<StoppedUnit[]> {
  // Looked at before the first stop, so that it adds nothing to the time for which services are down.
  const before = await Promise.all(units.map(async (unit) => ({ unit, state: await control.look(unit) })));
  const all: StoppedUnit[] = [];
  for (const { unit, state } of before) {
    const stopped = await stopUnit(control, state, unit, options);
    options.log.info('unit stopped', { unit, way: stopped.way, ms: stopped.tookMs });
    all.push(stopped);
  }
  return all;
}

async function stopUnit(
  control: ServiceControl,
  before: UnitState,
  unit: string,
  { signal, log, pollMs = FIRST_PAUSE_MS, killAfterMs = KILL_AFTER_MS, giveUpMs = GIVE_UP_MS }: StopOptions,
): Promise<StoppedUnit> {
  const began = performance.now();
  let state = isDown(before) ? await control.look(unit) : before;
  if (isGone(state)) return { unit, way: 'idle', tookMs: 0 };
  const main = state.mainPid === 0 ? null : await readProcess(state.mainPid);
  if (!isDown(state)) await control.askToStop(unit);
  let killedAt: number | null = null;
  for (let waitMs = pollMs; ; waitMs = longer(waitMs)) {
    // As long as the main process is there the unit need not be asked, which takes longer than reading /proc.
    if (main === null || !(await isAlive(main))) {
      state = await control.look(unit);
      if (isGone(state)) break;
    }
    if (killedAt === null && (msSince(began) >= killAfterMs || (isDown(state) && state.leftOvers))) {
      log.warn('unit gets SIGKILL', { unit, ms: msSince(began) });
      await control.kill(unit);
      killedAt = performance.now();
      waitMs = pollMs;
    } else if (killedAt !== null && msSince(killedAt) >= giveUpMs) {
      throw survived(await control.look(unit), main);
    }
    await pause(waitMs, signal);
  }
  // systemd itself sends SIGKILL where a unit's own TimeoutStopSec is shorter than our patience.
  const way = killedAt !== null || state.result === 'timeout' ? 'SIGKILL' : 'SIGTERM';
  return { unit, way, tookMs: msSince(began) };
}

function isGone(state: UnitState): boolean {
  return isDown(state) && !state.leftOvers;
}

function survived({ unit, active, mainPid }: UnitState, main: ProcessFacts | null): UpdateError {
  const who = main === null ? `process ${mainPid}` : `process ${main.pid} (${main.name})`;
  return new UpdateError('PROCESS_KILL_FAILED', `${who} of ${unit} survived SIGKILL; the unit is ${active}`);
}
