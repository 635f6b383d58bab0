import { UpdateError } from '../../machines/errors.js';
import type { Deployment, Failure } from '../../machines/update-context.js';
import type { PackageIdentity } from '../../machines/package-order.js';
import type { Instant } from '../../machines/clock.js';
import { isSystemError, look } from '../disk.js';
import { inspectArchive, type PackageExpectations } from '../package/inspect-package.js';
import { openZip } from '../package/zip-archive.js';
import { keepNotices } from './commit-notices.js';
import { recordRelease } from './commit-release.js';
import type { DeploymentTools } from './deployment-tools.js';
import { goBack } from './go-back.js';
import { Journal } from './journal.js';
import { goToFactory } from './last-resort.js';
import { needMountedRoots } from './mounted-roots.js';
import { pruneStore } from './prune-store.js';
import { runPostCommands, settleServices, startServices } from './restart-services.js';
import { stageRelease, type StageTools } from './stage-release.js';
import type { Store } from './store.js';
import { readStaged, type StagedRelease } from './staged-release.js';
import { stopForSwitch } from './stop-for-switch.js';
import { refuseMovedTargets, switchFiles } from './switch-files.js';
import { wantedFromPackage } from './wanted-from-package.js';
import { wantedFromStore } from './wanted-from-store.js';

/** Percent of `installing` at which staging is over; stopping and switching take the rest. */
const STAGED_PERCENT = 90;
const STOPPED_PERCENT = 96;

export interface DeploymentParts extends DeploymentTools {
  packagePath: (identity: PackageIdentity) => string;
  packageName: () => string;
  expectations: (version: string) => Promise<PackageExpectations>;
  /** Words where the device must not be disturbed now, else null. */
  askGuard: (signal: AbortSignal) => Promise<string | null>;
  at: () => Instant;
}

/** What the deployment actors of the machine do, one function each. */
export function deploymentEffects(parts: DeploymentParts) {
  const { store, territory, tell } = parts;
  /** Of the deployment whose services this process has stopped: reading it again costs time while they are down. */
  let stopped: Journal | null = null;
  /** Throws DEPLOYMENT_FAILED where there is none, and where it names a root that is not mounted. */
  const openJournal = async () => {
    const journal = stopped ?? (await readJournal(store));
    await needMountedRoots(journal);
    return journal;
  };

  async function stage(makeStaged: (tools: StageTools) => Promise<StagedRelease>, signal: AbortSignal) {
    const staged = await makeStaged({
      ...parts,
      signal,
      onBytes: (done, all, module) => {
        const words = module === null ? 'Restoring files...' : `Installing module ${module}`;
        tell(all === 0 ? STAGED_PERCENT : (STAGED_PERCENT * done) / all, words);
      },
      prune: () => pruneStore(store, { keep: 0 }, parts.log),
    });
    parts.log.info('release staged', { release: staged.wanted.id, files: staged.operations.length });
    return { releaseId: staged.wanted.id, notices: staged.notices };
  }

  async function stagePackage(identity: PackageIdentity, signal: AbortSignal) {
    const archive = await openZip(parts.packagePath(identity));
    try {
      const inspected = await inspectArchive(archive, await parts.expectations(identity.version));
      const { md5, size } = identity;
      const source = {
        archive,
        inspected,
        name: parts.packageName(),
        md5,
        size,
        unitName: (unit: string) => parts.control.unitName(unit),
      };
      return await stage(
        (tools) => stageRelease(() => wantedFromPackage(store, territory, source), tools),
        signal,
      );
    } finally {
      await archive.close();
    }
  }

  return {
    stageRelease: ({ deployment }: { deployment: Deployment }, signal: AbortSignal) => {
      stopped = null;
      const { identity, to } = deployment;
      if (identity !== null) return stagePackage(identity, signal);
      const wanted = async () => {
        const release = await wantedFromStore(store, { id: to.id ?? '', purpose: 'rollback' });
        await refuseMovedTargets(release.wishes, territory);
        return release;
      };
      return stage((tools) => stageRelease(wanted, tools), signal);
    },

    stopServices: async (signal: AbortSignal): Promise<null> => {
      const busy = await parts.askGuard(signal);
      if (busy !== null) throw new UpdateError('DEVICE_BUSY', busy);
      tell(STAGED_PERCENT, 'Stopping services...');
      stopped = await stopForSwitch(await readStaged(store), parts, signal);
      tell(STOPPED_PERCENT, 'Switching files...');
      return null;
    },

    switchFiles: async (): Promise<null> => {
      const journal = await openJournal();
      await refuseMovedTargets(journal.body.operations, territory);
      await switchFiles(journal);
      const { to, operations } = journal.body;
      parts.log.info('files switched', { release: to.id, files: operations.length });
      tell(100, 'Files switched');
      return null;
    },

    runPostCommands: async (signal: AbortSignal): Promise<null> => {
      await runPostCommands(await openJournal(), parts, signal);
      return null;
    },

    startServices: async (signal: AbortSignal): Promise<null> => {
      await startServices(await openJournal(), 'wanted', parts, signal);
      return null;
    },

    settleServices: async (signal: AbortSignal): Promise<null> => {
      await settleServices(await openJournal(), 'wanted', parts, signal);
      return null;
    },

    commitRelease: async (): Promise<{ at: Instant; notices: string[] }> => {
      const journal = await openJournal();
      const kept = await recordRelease(store, journal, await readStaged(store), parts);
      const words = 'services were not started (no service manager)';
      const notices = parts.control.canStart ? kept : [...kept, words];
      await keepNotices(store, notices);
      await removeForCommit(journal, parts);
      stopped = null;
      parts.log.info('release committed', { release: journal.body.to.id });
      return { at: parts.at(), notices };
    },

    goBack: ({ cause }: { cause: Failure }, signal: AbortSignal) => {
      stopped = null;
      return goBack(cause, parts, signal);
    },
    goToFactory: ({ cause }: { cause: Failure }, signal: AbortSignal) => {
      stopped = null;
      return goToFactory(cause, parts, signal);
    },
  };
}

/**
 * Once its name is gone there is no way back, and the release is the live one: a folder that cannot be synced then fails
 * nothing. After a power cut the journal may be there again, and a start goes on from it.
 */
async function removeForCommit(journal: Journal, { store, log }: DeploymentTools): Promise<void> {
  try {
    await journal.remove();
  } catch (error) {
    if (!isSystemError(error) || (await look(store.journalPath)) !== null) throw error;
    log.error('the folder of the journal could not be synced after the commit', { why: error.message });
  }
}

async function readJournal(store: Store): Promise<Journal> {
  const journal = await Journal.read(store.journalPath);
  if (journal === null)
    throw new UpdateError('DEPLOYMENT_FAILED', 'the journal of this deployment is missing');
  return journal;
}
