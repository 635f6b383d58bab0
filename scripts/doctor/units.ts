import type { Configuration } from '../../services/configuration/configuration.js';
import type { Store } from '../../services/deployment/store.js';
import { openServiceControl } from '../../services/service-control/open-service-control.js';
import type { ServiceControl } from '../../services/service-control/service-control.js';
import { fault, note, ok, type Finding } from './finding.js';

/** The updater's own units, as its release installs them. */
const OWN = ['tope-updater.service', 'tope-updater-recover.service'];

/** Whether the updater's units, and those of the installed release, are as they should be. */
export async function checkUnits(configuration: Configuration, store: Store): Promise<Finding[]> {
  if (configuration.serviceManager === 'none')
    return [note('units', 'there is no service manager: an update stops services and starts none')];
  const control = await openServiceControl('systemd', []);
  const findings = [];
  for (const unit of OWN) findings.push(await own(control, unit));
  const live = await store.pointer('current');
  const release = live === null ? null : await store.releaseIfThere(live);
  for (const { unit } of release?.units ?? []) findings.push(await service(control, unit));
  return findings;
}

async function own(control: ServiceControl, unit: string): Promise<Finding> {
  const { load, active, result } = await control.look(unit);
  if (load === 'masked') return fault('units', `${unit} is masked`, unmask(unit));
  if (load !== 'loaded')
    return fault('units', `${unit} is ${load}`, 'install the updater as docs/operations.md tells');
  if (active === 'failed') return fault('units', `${unit} is failed (${result})`, `journalctl -u ${unit}`);
  return ok('units', `${unit} is installed, ${active}`);
}

async function service(control: ServiceControl, unit: string): Promise<Finding> {
  const { load, active, isOneshot, result } = await control.look(unit);
  const runs = active === 'active' || (isOneshot && result === 'success');
  if (load === 'loaded' && runs) return ok('units', `${unit} is ${active}`);
  if (load === 'masked')
    return fault('units', `${unit} is masked, ${active}: an update that needs it is refused`, unmask(unit));
  if (load !== 'loaded')
    return fault('units', `${unit} is ${load}, ${active}`, 'tope-updater rollback factory, or ask support');
  return fault('units', `${unit} is ${active} (${result})`, `journalctl -u ${unit}; systemctl start ${unit}`);
}

function unmask(unit: string): string {
  return `systemctl unmask ${unit}`;
}
