import { join } from 'node:path';
import { FILE_VARIABLE } from '../../services/configuration/configuration-sources.js';
import { PROGRAM_FOLDER } from '../../services/program-folder.js';
import { entryAt, WRITABLE_BY_OTHERS } from './entry-at.js';
import { fault, ok, type Finding } from './finding.js';

/** Whether nobody but root can change what the updater runs and how it is configured. Looks at what is there of it. */
export async function checkOwners(): Promise<Finding[]> {
  const findings = [];
  const launcher = join(PROGRAM_FOLDER, 'bin', 'tope-updater');
  // A checkout, which has no launcher, belongs to whoever works on it.
  const program =
    (await entryAt(launcher)) === null ? [] : [PROGRAM_FOLDER, launcher, join(PROGRAM_FOLDER, 'dist')];
  for (const path of [process.env[FILE_VARIABLE] ?? '/etc/tope-updater/config.json', ...program]) {
    const entry = await entryAt(path);
    if (entry === null) continue;
    const mode = entry.mode & 0o7777;
    if (entry.uid !== 0 && entry.uid !== process.geteuid?.())
      findings.push(fault('owner', `${path} belongs to user ${entry.uid}`, `chown root ${path}`));
    else if ((mode & WRITABLE_BY_OTHERS) !== 0)
      findings.push(fault('owner', `${path} has mode 0${mode.toString(8)}`, `chmod go-w ${path}`));
    else findings.push(ok('owner', `${path} can be changed by its owner alone`));
  }
  return findings;
}
