import { join } from 'node:path';
import { createHttpServer } from '../http/server.js';
import { toUpdateError } from '../machines/errors.js';
import { STAGES, topStateOf } from '../machines/stage.js';
import { openClock, type Clock } from '../services/clock.js';
import type { Configuration } from '../services/configuration/configuration.js';
import { takeInstanceLock } from '../services/lock/instance-lock.js';
import { readConfiguration } from '../services/configuration/read-configuration.js';
import { openRotatingLog } from '../services/log/rotating-log.js';
import { openServiceControl } from '../services/service-control/open-service-control.js';
import { notifySystemd } from '../services/service-control/sd-notify.js';
import { startWatchdog } from '../services/service-control/watchdog.js';
import { startUpdater, type UpdaterParts } from '../services/updater.js';
import { readOrderToken } from '../services/configuration/order-token.js';
import { needWritableRoots } from '../services/configuration/writable-roots.js';
import { storeFolder } from '../services/deployment/store.js';
import { EXIT, parseOptions, printHelp } from './command.js';

const HELP = `Usage: tope-updater serve

Runs the updater until it gets SIGTERM or SIGINT. It is configured by /etc/tope-updater/config.json (or the file that
TOPE_CONFIG names) and by TOPE_ variables, which win.

Options:
  --help     print this

Exit codes: 0 stopped by a signal, 1 failed (port taken, another updater runs), 2 wrong usage, 78 bad configuration
`;

/** A stop that takes longer is cut short: the next start finds its way from any state. */
const STOP_WITHIN_MS = 4500;

/** Runs the service until a signal ends it. */
export async function serveCommand(args: string[]): Promise<number> {
  if (parseOptions(args, {}).help === true) return printHelp(HELP);
  const { configuration, warnings } = await readConfiguration(process.env);
  const { logLevel, workDir, serviceManager, managedRoot, extraRoots } = configuration;
  const log = await openRotatingLog({ folder: join(workDir, 'logs'), level: logLevel });
  for (const warning of warnings) log.warn(warning);
  try {
    await needWritableRoots(configuration);
    const control = await openServiceControl(serviceManager, [managedRoot, ...extraRoots]);
    return await serve(configuration, { log, control });
  } catch (error) {
    log.error('the updater could not start', { why: toUpdateError(error).message });
    throw error;
  } finally {
    await log.close();
  }
}

/** Runs an updater with its HTTP server until SIGTERM or SIGINT; answers with the exit code. */
export async function serve(
  configuration: Configuration,
  parts: Pick<UpdaterParts, 'log' | 'control' | 'timing' | 'reserveBytes'> & { clock?: Clock },
): Promise<number> {
  const { log } = parts;
  const token = await readOrderToken(configuration.tokenFile);
  let finish: (end: { exitCode: number; why: string }) => void = () => undefined;
  const end = new Promise<{ exitCode: number; why: string }>((resolve) => (finish = resolve));
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => finish({ exitCode: EXIT.done, why: signal }));
  }
  // Signals are heeded before anything is begun: one that comes early ends a start that is over, too.
  const lock = await takeInstanceLock(storeFolder(configuration.managedRoot));
  const updater = await startUpdater({
    ...parts,
    configuration,
    clock: parts.clock ?? (await openClock()),
    onFatal: (error) => finish({ exitCode: EXIT.failed, why: `the machine failed: ${error.message}` }),
  });
  const server = createHttpServer(updater, {
    ...configuration,
    token,
    onInternalError: (error) => log.error('a request failed', { why: error.message }),
  });
  const status = () => {
    const state = topStateOf(updater.state().value);
    const { percent, message } = updater.progress(state);
    return `${STAGES[state]} ${percent} %: ${message}`;
  };
  let endWatchdog: () => void = () => undefined;
  try {
    const port = await server.listen();
    // What only the start needed is given back before there is work: some 20 ms, and 8 MiB less at the peak of a cycle.
    globalThis.gc?.();
    log.info('the updater listens', { host: configuration.host, port, pid: process.pid });
    await notifySystemd(['READY=1', `STATUS=${status()}`], log);
    endWatchdog = startWatchdog({ log, status, isWell: () => updater.state().status !== 'error' });
    const { exitCode, why } = await end;
    log.info('stopping', { why });
    void notifySystemd(['STOPPING=1'], log);
    setTimeout(() => process.exit(exitCode), STOP_WITHIN_MS).unref();
    await server.close();
    return exitCode;
  } finally {
    await updater.shutDown();
    endWatchdog();
    await lock.unlock();
  }
}
