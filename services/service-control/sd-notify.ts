import { execFile } from 'node:child_process';
import type { Log } from '../log/log.js';

/** How long systemd may take to take a message, in ms. */
const TAKEN_MS = 5_000;

/**
 * Tells the service manager of this unit variables of sd_notify(3): `READY=1`, `STATUS=…`, `WATCHDOG=1`. Node has no
 * datagram sockets of that kind, so that systemd-notify tells it, which needs NotifyAccess=all. Where nobody listens
 * (no NOTIFY_SOCKET) nothing is done. Never rejects: what could not be told is a line in the log.
 */
export async function notifySystemd(variables: readonly string[], log: Log): Promise<void> {
  const { PATH, NOTIFY_SOCKET } = process.env;
  if (NOTIFY_SOCKET === undefined || NOTIFY_SOCKET === '') return;
  const options = { env: { PATH, NOTIFY_SOCKET }, timeout: TAKEN_MS, killSignal: 'SIGKILL' } as const;
  await new Promise<void>((resolve) => {
    execFile('systemd-notify', variables.map(onOneLine), options, (error, _, stderr) => {
      if (error !== null)
        log.warn('systemd was not told', {
          variables: variables.join(' '),
          why: stderr.trim() || error.message,
        });
      resolve();
    });
  });
}

/** A line break would begin another variable. */
function onOneLine(variable: string): string {
  return variable.replaceAll(/\s+/g, ' ');
}
