import type { UpdateContext } from '../machines/update-context.js';
import type { Clock } from './clock.js';
import type { Configuration } from './configuration/configuration.js';
import type { DeploymentParts } from './deployment/deployment-effects.js';
import type { Timing } from './deployment/deployment-tools.js';
import type { Store } from './deployment/store.js';
import { makeDownloadParts, type DownloadParts } from './download/download-parts.js';
import { RESERVE_BYTES } from './free-room.js';
import type { Log } from './log/log.js';
import { PROGRAM_FOLDER } from './program-folder.js';
import { askInstallGuard } from './programs/install-guard.js';
import type { ServiceControl } from './service-control/service-control.js';
import { packagePath, tmpDirOf } from './work-folder.js';

/** What the machine's actors work with. */
export interface ActorParts extends DeploymentParts, DownloadParts {
  tmpDir: string;
  clock: Clock;
}

/** What differs from device to device, and from a test to a device. */
export interface DeviceParts {
  configuration: Configuration;
  log: Log;
  clock: Clock;
  control: ServiceControl;
  timing?: Partial<Timing>;
  reserveBytes?: number;
}

/**
 * Puts together what the actors work with; `context` answers with the machine's as it is at each call. Throws a
 * ConfigurationError where the file of authorities cannot be used.
 */
export async function makeActorParts(
  { configuration, log, clock, control, timing, reserveBytes = RESERVE_BYTES }: DeviceParts,
  { store, context, tell }: Pick<ActorParts, 'store' | 'tell'> & { context: () => UpdateContext },
): Promise<ActorParts> {
  const { managedRoot, extraRoots, workDir, installGuard, serviceManager } = configuration;
  const tmpDir = tmpDirOf(workDir);
  const roots = [managedRoot, ...extraRoots];
  return {
    store,
    territory: { roots, forbidden: [store.root, workDir, PROGRAM_FOLDER] },
    control,
    log,
    clock,
    tmpDir,
    timing: { settleMs: configuration.settleMs, ...timing },
    manager: serviceManager,
    keep: configuration.keep,
    reserveBytes,
    ...(await makeDownloadParts({ configuration, tmpDir, store, log, reserveBytes, context })),
    packageName: () => context().order?.name ?? '',
    packagePath: (identity) => packagePath(tmpDir, identity),
    askGuard: (signal) => askInstallGuard(installGuard, { manager: serviceManager, signal }),
    tell,
    now: () => new Date(),
    at: clock,
    expectations: (version) => expectationsOf(version, configuration, store),
  };
}

/** What a package must be like on this device to be taken for a version. */
async function expectationsOf(version: string, configuration: Configuration, store: Store) {
  const { managedRoot, extraRoots, workDir } = configuration;
  return {
    version,
    roots: [managedRoot, ...extraRoots],
    reserved: [workDir, PROGRAM_FOLDER],
    allowPostCmds: configuration.allowPostCmds,
    signature: configuration.signature,
    keysDir: configuration.keysDir,
    product: configuration.product,
    installedVersion: (await store.named('current'))?.version ?? null,
    allowDowngrade: configuration.allowDowngrade,
  };
}
