import { UpdateError } from '../../machines/errors.js';
import { msSince, pause } from './pause.js';
import type { ServiceControl, UnitState } from './service-control.js';
import { shortName } from './unit-names.js';
import { howItEnded, isAsGoodAsUp, isDown, isUp } from './unit-words.js';

export interface SettleOptions {
  signal: AbortSignal;
  /** Ms for which nothing may happen. */
  settleMs: number;
  /** Ms between two looks. */
  pollMs?: number;
  /** Told percent of settleMs at each look. */
  onProgress?: (percent: number) => void;
}

const POLL_MS = 100;

/**
 * Watches units that should be up: each must stay active (a oneshot may have ended with success) with the same main
 * process and without a restart for the whole time. Throws HEALTH_CHECK_FAILED with what happened to the first that does
 * not (`voice-app exited 1 (2 restarts in 5 s)`), CANCELLED when the signal is aborted. Nothing to watch: answers at once.
 */
export async function settleUnits(
  control: ServiceControl,
  units: readonly string[],
  { signal, settleMs, pollMs = POLL_MS, onProgress }: SettleOptions,
): Promise<void> {
  if (!control.canStart || units.length === 0) return;
  const lookAtAll = () => Promise.all(units.map((unit) => control.look(unit)));
  const began = performance.now();
  const first = await lookAtAll();
  for (let now = first; ; now = await lookAtAll()) {
    const elapsedMs = Math.min(msSince(began), settleMs);
    const isOver = elapsedMs >= settleMs;
    for (const [index, state] of now.entries()) {
      const before = first[index] ?? state;
      // A new run has wiped out how the last one ended; as long as there is time, it may tell by ending too.
      if (isUnsettled(before, state) && (isOver || !isUp(state))) throw unhealthy(before, state, elapsedMs);
    }
    onProgress?.(isOver ? 100 : Math.floor((elapsedMs * 100) / settleMs));
    if (isOver) return;
    await pause(Math.min(pollMs, settleMs - elapsedMs), signal);
  }
}

function isUnsettled(before: UnitState, now: UnitState): boolean {
  // A oneshot that a timer runs again is another process each time.
  if (now.isOneshot) return !isAsGoodAsUp(now) && now.active !== 'activating';
  return !isUp(now) || now.mainPid !== before.mainPid || now.restarts !== before.restarts;
}

function unhealthy(before: UnitState, now: UnitState, elapsedMs: number): UpdateError {
  const restarts = now.restarts - before.restarts;
  const seconds = Math.max(0.1, Math.round(elapsedMs / 100) / 10);
  const count = restarts === 1 ? '1 restart' : `${restarts} restarts`;
  return new UpdateError('HEALTH_CHECK_FAILED', `${whatHappened(now)} (${count} in ${seconds} s)`);
}

function whatHappened(now: UnitState): string {
  if (now.result !== 'success' || isDown(now)) return howItEnded(now);
  return isUp(now) ? `${shortName(now.unit)} was restarted` : `${shortName(now.unit)} is ${now.active}`;
}
