import type { WayBack } from '../../machines/actor-ports.js';
import type { Failure } from '../../machines/update-context.js';
import type { DeploymentTools } from './deployment-tools.js';
import { Journal } from './journal.js';
import { needMountedRoots } from './mounted-roots.js';
import { settlePlanned, startPlanned, stopPlanned } from './carry-out-plan.js';
import { undoRecords } from './undo-commit.js';
import { undoSwitch } from './undo-switch.js';

const NOTHING_CHANGED: WayBack = { outcome: 'nothing was changed', hasSwitched: false, notices: [] };

/**
 * Brings the device back to the list that it came from, with its services running. Needs the journal alone, and no new
 * room on the disk; may be cut anywhere and called again. Answers how it ended, for people. Throws where the old version
 * does not start or settle either.
 */
export async function undoDeployment(
  cause: Failure,
  tools: DeploymentTools,
  signal: AbortSignal,
): Promise<WayBack> {
  const { store, log } = tools;
  const journal = await Journal.read(store.journalPath);
  if (journal === null) return NOTHING_CHANGED;
  const { from, to } = journal.body;
  const { phase } = journal.head;
  // Nothing was switched: what services have written since they were staged must stay as it is.
  if (phase === 'stopping') await journal.mark({ phase: 'undone', cause });
  else if (phase !== 'undone') {
    await needMountedRoots(journal);
    if (phase !== 'undoing') await journal.mark({ phase: 'undoing', cause });
    await stopPlanned(journal.body.plan, tools, signal);
    await undoFiles(journal, tools);
  }
  const versions = { from: to.version, to: from?.version ?? 'as found' };
  log.info(journal.head.hasSwitched ? 'the files are back' : 'no file was touched', versions);
  await startPlanned(journal, 'left', tools, signal);
  await settlePlanned(journal, 'left', tools, signal);
  if (!journal.head.hasSwitched) return NOTHING_CHANGED;
  return { outcome: `rolled back to ${from?.version ?? 'what was found'}`, hasSwitched: true, notices: [] };
}

/** The part of going back that touches files and pointers; `recover` does this alone, before any service runs. */
export async function undoFiles(
  journal: Journal,
  { store, log }: Pick<DeploymentTools, 'store' | 'log'>,
): Promise<void> {
  await needMountedRoots(journal);
  await undoSwitch(journal, store, log);
  await undoRecords(journal, store, log);
  await journal.mark({ phase: 'undone' });
}
