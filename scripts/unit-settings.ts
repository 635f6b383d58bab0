import { withoutProxies } from '../services/configuration/configuration-sources.js';
import { readConfiguration } from '../services/configuration/read-configuration.js';
import { OWN_UNITS } from '../services/service-control/unit-names.js';
import { unitSettings } from '../services/configuration/unit-settings.js';
import { EXIT, parseWord, printHelp, UsageError } from './command.js';

const HELP = `Usage: tope-updater unit-settings UNIT

Prints the drop-in by which UNIT (${OWN_UNITS.join(' or ')}) follows the configuration: the roots
that it may write into, and the journal that recover looks for. install writes it.

Options:
  --help     print this

Exit codes: 0 done, 2 wrong usage, 78 bad configuration
`;

/** Prints what a unit of the updater's needs besides its file. */
export async function unitSettingsCommand(args: string[]): Promise<number> {
  const { values, word } = parseWord(args, {});
  if (values.help === true) return printHelp(HELP);
  const unit = OWN_UNITS.find((one) => one === word);
  if (unit === undefined) throw new UsageError(`expected ${OWN_UNITS.join(' or ')}`);
  const { configuration } = await readConfiguration(withoutProxies(process.env));
  process.stdout.write(unitSettings(unit, configuration));
  return EXIT.done;
}
