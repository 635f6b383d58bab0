import { join, resolve } from 'node:path';
import { isVersion } from '../machines/version.js';
import { recordFactory } from '../services/deployment/record-factory.js';
import { Store, storeFolder } from '../services/deployment/store.js';
import { takeInstanceLock } from '../services/lock/instance-lock.js';
import { PROGRAM_FOLDER } from '../services/program-folder.js';
import { withoutProxies } from '../services/configuration/configuration-sources.js';
import { readConfiguration } from '../services/configuration/read-configuration.js';
import { openRotatingLog } from '../services/log/rotating-log.js';
import { EXIT, parseWords, printHelp, UsageError } from './command.js';

const HELP = `Usage: tope-updater factory VERSION [PATH...]

Records what is on the device as the factory release, told as VERSION (for example 1.0.0). Files at and below each PATH
are hashed and copied now; every other path is recorded by the first update that touches it. The updater must not run;
"install --factory VERSION [PATH...]" of the release stops it, calls this, and starts it.

Options:
  --help     print this

Exit codes: 0 done, 1 failed (an update is open, another updater runs), 2 wrong usage, 78 bad configuration
`;

/** Records the factory release. */
export async function factoryCommand(args: string[]): Promise<number> {
  const { values, words } = parseWords(args, {});
  if (values.help === true) return printHelp(HELP);
  const [version = '', ...paths] = words;
  if (!isVersion(version))
    throw new UsageError(`the version is ${JSON.stringify(version)}: expected three numbers, as in 1.0.0`);
  const { configuration } = await readConfiguration(withoutProxies(process.env));
  const { managedRoot, extraRoots, workDir, logLevel } = configuration;
  const log = await openRotatingLog({ folder: join(workDir, 'logs'), level: logLevel });
  try {
    const folder = storeFolder(managedRoot);
    const lock = await takeInstanceLock(folder);
    try {
      const store = new Store(folder, log);
      await store.make();
      const territory = { roots: [managedRoot, ...extraRoots], forbidden: [folder, workDir, PROGRAM_FOLDER] };
      const request = { version, paths: paths.map((path) => resolve(path)) };
      const { id, files } = await recordFactory(store, request, { territory, now: new Date(), log });
      log.info('factory release recorded', { release: id, files: Object.keys(files).length });
    } finally {
      await lock.unlock();
    }
    return EXIT.done;
  } finally {
    await log.close();
  }
}
