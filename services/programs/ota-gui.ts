import { execFile, spawn } from 'node:child_process';
import { constants } from 'node:fs';
import { once } from 'node:events';
import { access, realpath } from 'node:fs/promises';
import { wordsOf } from '../../machines/errors.js';
import type { Log } from '../log/log.js';
import type { ServiceManager } from '../service-control/open-service-control.js';
import { findFileUsers } from '../service-control/file-users.js';
import { step } from '../steps.js';

const UNIT = 'tope-ota-gui.service';
/** How long systemd may take to take the order, in ms. */
const ORDER_MS = 5_000;
/** What a program needs to find its screen. */
const SCREEN = ['DISPLAY', 'WAYLAND_DISPLAY', 'XAUTHORITY', 'XDG_RUNTIME_DIR', 'QT_QPA_PLATFORM'];

/**
 * Starts the screen that shows the progress, if it is there and not running yet, and waits for nothing: whatever becomes
 * of it is a line in the log. Under systemd it is a transient unit, which the updater's restart does not end. Never
 * rejects.
 */
export async function startOtaGui(path: string, manager: ServiceManager, log: Log): Promise<void> {
  if (path === '') return;
  try {
    await access(path, constants.X_OK);
  } catch (error) {
    log.info('no screen to start', { path, why: wordsOf(error) });
    return;
  }
  try {
    await step('program.run', () => (manager === 'systemd' ? startAsUnit(path) : startDetached(path, log)));
    log.info('screen started', { path });
  } catch (error) {
    log.warn('screen not started', { path, why: wordsOf(error) });
  }
}

function startAsUnit(path: string): Promise<void> {
  const screen = SCREEN.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [`--setenv=${name}=${value}`];
  });
  // A unit of this name that is still running makes systemd refuse: there is never a second screen.
  const args = ['--collect', '--quiet', '--no-block', `--unit=${UNIT}`, ...screen, '--', path];
  return new Promise((resolve, reject) => {
    execFile('systemd-run', args, { timeout: ORDER_MS, killSignal: 'SIGKILL' }, (error, _, stderr) => {
      if (error === null) resolve();
      else reject(new Error(stderr.trim() || error.message));
    });
  });
}

async function startDetached(path: string, log: Log): Promise<void> {
  const [running] = await findFileUsers([await realpath(path)]);
  if (running !== undefined) throw new Error(`it is running already (pid ${running.process.pid})`);
  const child = spawn(path, [], { cwd: '/', detached: true, stdio: 'ignore' });
  child.once('exit', (code, signal) => log.info('screen ended', { path, code, signal }));
  await once(child, 'spawn');
  child.unref();
}
