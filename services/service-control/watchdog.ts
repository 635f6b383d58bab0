import type { Log } from '../log/log.js';
import { notifySystemd } from './sd-notify.js';

export interface WatchdogOptions {
  log: Log;
  /** Whether the machine can do its work. */
  isWell: () => boolean;
  /** What `systemctl status` shows. */
  status: () => string;
}

/** Of the time that systemd waits, how much passes between two signs of life: one may be lost, one may be late. */
const SHARE = 1 / 3;

/**
 * Gives systemd signs of life as long as the event loop turns and the machine is well; a loop that hangs gives none, and
 * a machine that has failed gets none. Asked for by WATCHDOG_USEC, see sd_watchdog_enabled(3); without it nothing is
 * done. Answers with what ends it.
 */
export function startWatchdog({ log, isWell, status }: WatchdogOptions): () => void {
  const everyMs = (watchdogMicroseconds() / 1000) * SHARE;
  if (everyMs === 0) return () => undefined;
  let telling = false;
  const timer = setInterval(() => {
    if (telling || !isWell()) return;
    telling = true;
    void notifySystemd(['WATCHDOG=1', `STATUS=${status()}`], log).then(() => (telling = false));
  }, everyMs);
  timer.unref();
  return () => clearInterval(timer);
}

/** 0 where no watchdog waits for this process. */
function watchdogMicroseconds(): number {
  const { WATCHDOG_USEC, WATCHDOG_PID } = process.env;
  const isForUs = WATCHDOG_PID === undefined || Number(WATCHDOG_PID) === process.pid;
  const microseconds = Number(WATCHDOG_USEC ?? 0);
  return isForUs && Number.isSafeInteger(microseconds) && microseconds > 0 ? microseconds : 0;
}
