import type { Configuration } from '../../services/configuration/configuration.js';
import { readText } from '../../services/disk.js';
import { OWN_UNITS } from '../../services/service-control/unit-names.js';
import { settingsFileOf, unitSettings } from '../../services/configuration/unit-settings.js';
import { fault, ok, type Finding } from './finding.js';

/** Whether the updater's units know the folders that are configured: else recover never runs, or nothing can be written. */
export async function checkUnitSettings(configuration: Configuration): Promise<Finding[]> {
  if (configuration.serviceManager === 'none') return [];
  const findings = [];
  for (const unit of OWN_UNITS) {
    const file = settingsFileOf(unit);
    const isRight = (await readText(file)) === unitSettings(unit, configuration);
    findings.push(
      isRight
        ? ok('units', `${unit} follows the configuration`)
        : fault(
            'units',
            `${file} is not what the configuration asks for`,
            'call install of the release again',
          ),
    );
  }
  return findings;
}
