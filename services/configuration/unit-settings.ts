import type { Configuration } from './configuration.js';
import { storeFolder } from '../deployment/store.js';

/** Where `install` puts what unitSettings tells. */
export function settingsFileOf(unit: string): string {
  return `/etc/systemd/system/${unit}.d/tope-roots.conf`;
}

/**
 * The drop-in by which one of the updater's units follows the configuration (systemd.unit(5), systemd.exec(5)): which
 * folders it waits for and may write into, and for recover the journal without which it has nothing to do.
 */
export function unitSettings(unit: string, configuration: Configuration): string {
  const { managedRoot, extraRoots, workDir } = configuration;
  const folders = [managedRoot, ...extraRoots, workDir];
  const journal = asSpecifier(`${storeFolder(managedRoot)}/journal`);
  return [
    '# Written by install from config.json: change that, and call install again.',
    '[Unit]',
    `RequiresMountsFor=${folders.map(asWord).join(' ')}`,
    ...(unit === 'tope-updater-recover.service'
      ? ['ConditionPathExists=', `ConditionPathExists=${journal}`]
      : []),
    '[Service]',
    'ReadWritePaths=',
    `ReadWritePaths=${folders.map((folder) => asWord(`-${folder}`)).join(' ')}`,
    '',
  ].join('\n');
}

function asSpecifier(path: string): string {
  return path.replaceAll('%', '%%');
}

/** One word of a list of paths: systemd.syntax(7), Quoting. */
function asWord(path: string): string {
  return /[\s"'\\]/.test(path) ? `"${asSpecifier(path).replace(/["\\]/g, '\\$&')}"` : asSpecifier(path);
}
