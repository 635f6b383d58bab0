import { askToStartAll } from '../service-control/start-units.js';
import type { DeploymentTools } from './deployment-tools.js';
import { undoFiles } from './undo-deployment.js';
import { Journal } from './journal.js';
import { unitsToStart, unitsUp } from './carry-out-plan.js';
import { applySwitch } from './apply-switch.js';

/**
 * Before the updater exits while services are stopped by it, and the system is not going down: the switch is undone (the
 * last resort: finished) where it is not over, and what was stopped is asked to start, without waiting. No file is undone
 * under a service that still runs: then the journal stays as it is. The next start goes on from the journal.
 */
export async function leaveServicesStarted(
  tools: Pick<DeploymentTools, 'store' | 'control' | 'log'>,
): Promise<void> {
  const { store, control, log } = tools;
  const journal = await Journal.read(store.journalPath);
  if (journal === null || (await control.isSystemStopping())) return;
  const { phase } = journal.head;
  if (phase === 'switching' && journal.body.purpose === 'factory') await applySwitch(journal);
  else if (phase === 'switching') {
    const message = 'the updater was stopped while switching';
    await journal.mark({ phase: 'undoing', cause: { code: 'DEPLOYMENT_FAILED', message } });
  }
  if (journal.head.phase === 'undoing') await undoWhereAllIsDown(journal, tools);
  if (journal.body.unitFilesChange) await control.reload();
  const hasNewFiles = journal.head.phase === 'switched' || journal.head.phase === 'undoing';
  await askToStartAll(control, unitsToStart(journal.body.plan, hasNewFiles ? 'wanted' : 'left'), log);
}

async function undoWhereAllIsDown(
  journal: Journal,
  tools: Pick<DeploymentTools, 'store' | 'control' | 'log'>,
): Promise<void> {
  const up = await unitsUp(journal.body.plan, tools.control);
  if (up.length === 0) await undoFiles(journal, tools);
  else
    tools.log.warn('services of the failed version still run: the next start goes back', {
      up: up.join(' '),
    });
}
