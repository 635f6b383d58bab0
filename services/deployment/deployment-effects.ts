import type { Instant } from '../../machines/clock.js';
import { UpdateError } from '../../machines/errors.js';
import type { Deployment, Failure } from '../../machines/update-context.js';
import { applySwitch } from './apply-switch.js';
import { commitDeployment } from './commit-deployment.js';
import { Journal } from './journal.js';
import { takeLastResort } from './last-resort.js';
import { needMountedRoots } from './mounted-roots.js';
import { refuseMovedTargets } from './moved-targets.js';
import { settlePlanned, startPlanned } from './carry-out-plan.js';
import { runCommandsLeft } from './post-commands.js';
import { stageDeployment, STAGED_PERCENT, type StagingParts } from './stage-deployment.js';
import { readStaged } from './staged-release.js';
import { stopForSwitch } from './stop-for-switch.js';
import type { Store } from './store.js';
import { undoDeployment } from './undo-deployment.js';

/** Percent of `installing` at which services are stopped; switching takes the rest. */
const STOPPED_PERCENT = 96;

export interface DeploymentParts extends StagingParts {
  /** Words where the device must not be disturbed now, else null. */
  askGuard: (signal: AbortSignal) => Promise<string | null>;
  at: () => Instant;
}

/**
 * The work of each deployment actor, under the actor's name. What it calls has a name of its own, and does not know
 * which order or which state it serves.
 */
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

  return {
    stageRelease: ({ deployment }: { deployment: Deployment }, signal: AbortSignal) => {
      stopped = null;
      return stageDeployment(deployment, parts, signal);
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
      await applySwitch(journal);
      const { to, operations } = journal.body;
      parts.log.info('files switched', { release: to.id, files: operations.length });
      tell(100, 'Files switched');
      return null;
    },

    runPostCommands: async (signal: AbortSignal): Promise<null> => {
      await runCommandsLeft(await openJournal(), parts, signal);
      return null;
    },

    startServices: async (signal: AbortSignal): Promise<null> => {
      await startPlanned(await openJournal(), 'wanted', parts, signal);
      return null;
    },

    settleServices: async (signal: AbortSignal): Promise<null> => {
      await settlePlanned(await openJournal(), 'wanted', parts, signal);
      return null;
    },

    commitRelease: async (): Promise<{ at: Instant; notices: string[] }> => {
      const notices = await commitDeployment(await openJournal(), parts);
      stopped = null;
      return { at: parts.at(), notices };
    },

    goBack: ({ cause }: { cause: Failure }, signal: AbortSignal) => {
      stopped = null;
      return undoDeployment(cause, parts, signal);
    },
    goToFactory: ({ cause }: { cause: Failure }, signal: AbortSignal) => {
      stopped = null;
      return takeLastResort(cause, parts, signal);
    },
  };
}

async function readJournal(store: Store): Promise<Journal> {
  const journal = await Journal.read(store.journalPath);
  if (journal === null)
    throw new UpdateError('DEPLOYMENT_FAILED', 'the journal of this deployment is missing');
  return journal;
}
