import { join } from 'node:path';
import { toUpdateError } from '../machines/errors.js';
import { openClock } from '../services/clock.js';
import { recoverFiles } from '../services/deployment/recover-files.js';
import { Store, storeFolder } from '../services/deployment/store.js';
import { takeInstanceLock } from '../services/lock/instance-lock.js';
import { withoutProxies } from '../services/configuration/configuration-sources.js';
import { readConfiguration } from '../services/configuration/read-configuration.js';
import { openRotatingLog } from '../services/log/rotating-log.js';
import { openServiceControl } from '../services/service-control/open-service-control.js';
import { isSystemError, look } from '../services/disk.js';
import type { Log } from '../services/log/log.js';
import { EXIT, parseOptions, printHelp } from './command.js';

const HELP = `Usage: tope-updater recover

Brings the files of a deployment that was cut to wholly old or wholly new, and exits. To be run at boot, before any
service starts; without a journal there is nothing to do. One line tells what was found and done.

Options:
  --help     print this

Exit codes: 0 done, also where it could not be done (the device must boot; the log tells), 1 another updater runs,
2 wrong usage, 78 bad configuration
`;

/** Recovers the files alone; the service that starts later does the rest. */
export async function recoverCommand(args: string[]): Promise<number> {
  if (parseOptions(args, {}).help === true) return printHelp(HELP);
  const { configuration } = await readConfiguration(withoutProxies(process.env));
  const folder = storeFolder(configuration.managedRoot);
  if ((await look(join(folder, 'journal'))) === null) {
    process.stdout.write('no deployment was cut: nothing to do\n');
    return EXIT.done;
  }
  const log = await openRotatingLog({
    folder: join(configuration.workDir, 'logs'),
    level: configuration.logLevel,
  });
  try {
    await recover(new Store(folder, log), configuration.serviceManager, log);
    return EXIT.done;
  } finally {
    await log.close();
  }
}

/** Rejects only where another updater holds the lock: whatever else goes wrong, the device must boot. */
async function recover(store: Store, manager: 'systemd' | 'none', log: Log): Promise<void> {
  const lock = await takeInstanceLock(store.root).catch((error: unknown) => {
    if (!isSystemError(error)) throw error;
    tellFailure(error, log);
  });
  if (lock === undefined) return;
  try {
    const { words, needsReload } = await recoverFiles(store, (await openClock())().bootId, log);
    log.info(`recover: ${words}`);
    // systemd has loaded the unit files of the other version before this ran.
    if (needsReload) await (await openServiceControl(manager, [])).reload();
  } catch (error) {
    tellFailure(error, log);
  } finally {
    await lock.unlock();
  }
}

function tellFailure(error: unknown, log: Log): void {
  log.error('recover: the files could not be recovered', { why: toUpdateError(error).message });
}
