import { look } from '../disk.js';
import type { ServiceControl } from './service-control.js';
import { openWithoutManager } from './none.js';
import { openSystemd } from './systemd.js';

export type ServiceManager = 'systemd' | 'none';

/** What this machine was booted with: sd_booted(3) tells systemd by this folder. */
export async function findServiceManager(): Promise<ServiceManager> {
  return (await look('/run/systemd/system'))?.isDirectory() === true ? 'systemd' : 'none';
}

/** The service control that is configured; `roots` are the folders below which packages install. */
export function openServiceControl(
  manager: ServiceManager,
  roots: readonly string[],
): Promise<ServiceControl> {
  return manager === 'systemd' ? openSystemd() : Promise.resolve(openWithoutManager(roots));
}
