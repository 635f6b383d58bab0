import type { Configuration } from '../../services/configuration/configuration.js';
import { Store, storeFolder } from '../../services/deployment/store.js';
import type { Log } from '../../services/log/log.js';
import type { Client } from '../calling/client.js';
import { fault, findingsOf, note, type Finding } from './finding.js';
import { checkFolders } from './folders.js';
import { checkKeys } from './keys.js';
import { checkLastOrder } from './last-order.js';
import { checkOwners } from './owners.js';
import { checkPort } from './port.js';
import { checkJournal, checkStateFile } from './state-file.js';
import { checkToken } from './token.js';
import { checkUnitSettings } from './unit-settings.js';
import { checkUnits } from './units.js';

/** Looks at everything that an update needs, changing nothing. `warnings` are the configuration's. */
export async function examine(
  configuration: Configuration,
  warnings: readonly string[],
  client: Client,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  const { workDir, managedRoot } = configuration;
  const store = new Store(storeFolder(managedRoot), complaintsInto(findings));
  findings.push(
    ...warnings.map((words) => note('settings', words)),
    ...(await findingsOf('port', () => checkPort(client))),
    ...(await findingsOf('folder', () => checkFolders(configuration))),
    ...(await findingsOf('keys', () => checkKeys(configuration))),
    ...(await findingsOf('token', () => checkToken(configuration.tokenFile))),
    ...(await findingsOf('units', () => checkUnits(configuration, store))),
    ...(await findingsOf('units', () => checkUnitSettings(configuration))),
    ...(await findingsOf('owner', checkOwners)),
    ...(await findingsOf('state', () => checkStateFile(workDir))),
    ...(await findingsOf('journal', () => checkJournal(store))),
    ...(await findingsOf('last order', () => checkLastOrder(workDir))),
  );
  return findings;
}

/** What the store would log is found out here. */
function complaintsInto(findings: Finding[]): Log {
  const add = (words: string, fields: object = {}) =>
    findings.push(
      fault('store', `${words} ${JSON.stringify(fields)}`, 'doctor --bundle FILE, and ask support'),
    );
  return { debug: () => undefined, info: () => undefined, warn: add, error: add };
}
