import type { PackageIdentity } from '../../machines/package-order.js';
import type { Deployment } from '../../machines/update-context.js';
import { inspectArchive, type PackageExpectations } from '../package/inspect-package.js';
import { openZip } from '../package/zip-archive.js';
import type { DeploymentTools } from './deployment-tools.js';
import { refuseMovedTargets } from './moved-targets.js';
import { pruneStore } from './prune-store.js';
import { stageWanted } from './stage-wanted.js';
import { wantedFromPackage } from './wanted-from-package.js';
import { wantedFromStore } from './wanted-from-store.js';
import type { WantedRelease } from './wish.js';

/** Percent of `installing` at which staging is over; stopping and switching take the rest. */
export const STAGED_PERCENT = 90;

export interface StagingParts extends DeploymentTools {
  packagePath: (identity: PackageIdentity) => string;
  packageName: () => string;
  expectations: (version: string) => Promise<PackageExpectations>;
}

/** Stages what a deployment is to bring: its package, or with none a release of the store. Throws what stageWanted throws. */
export function stageDeployment({ identity, to }: Deployment, parts: StagingParts, signal: AbortSignal) {
  return identity === null
    ? stageAndTell(() => wantedBack(to.id ?? '', parts), parts, signal)
    : stagePackage(identity, parts, signal);
}

/** A release of the store, as far as its files still belong where they did. */
async function wantedBack(id: string, { store, territory }: StagingParts): Promise<WantedRelease> {
  const wanted = await wantedFromStore(store, { id, purpose: 'rollback' });
  await refuseMovedTargets(wanted.wishes, territory);
  return wanted;
}

async function stagePackage(identity: PackageIdentity, parts: StagingParts, signal: AbortSignal) {
  const { store, territory, control } = parts;
  const archive = await openZip(parts.packagePath(identity));
  try {
    const inspected = await inspectArchive(archive, await parts.expectations(identity.version));
    const { md5, size } = identity;
    const unitName = (unit: string) => control.unitName(unit);
    const source = { archive, inspected, name: parts.packageName(), md5, size, unitName };
    return await stageAndTell(() => wantedFromPackage(store, territory, source), parts, signal);
  } finally {
    await archive.close();
  }
}

async function stageAndTell(
  makeWanted: () => Promise<WantedRelease>,
  parts: StagingParts,
  signal: AbortSignal,
) {
  const { store, log, tell } = parts;
  const staged = await stageWanted(makeWanted, {
    ...parts,
    signal,
    onBytes: (done, all, module) => {
      const words = module === null ? 'Restoring files...' : `Installing module ${module}`;
      tell(all === 0 ? STAGED_PERCENT : (STAGED_PERCENT * done) / all, words);
    },
    prune: () => pruneStore(store, { keep: 0 }, log),
  });
  log.info('release staged', { release: staged.wanted.id, files: staged.operations.length });
  return { releaseId: staged.wanted.id, notices: staged.notices };
}
