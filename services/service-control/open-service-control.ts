import type { Configuration } from '../configuration/configuration.js';
import type { ServiceControl } from './service-control.js';
import { openWithoutManager } from './none.js';
import { openSystemd } from './systemd.js';

export type ServiceManager = Configuration['serviceManager'];

/** The service control that is configured; `roots` are the folders below which packages install. */
export function openServiceControl(
  manager: ServiceManager,
  roots: readonly string[],
): Promise<ServiceControl> {
  return manager === 'systemd' ? openSystemd() : Promise.resolve(openWithoutManager(roots));
}
