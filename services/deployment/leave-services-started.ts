import { askToStartAll } from '../service-control/start-units.js';
import type { DeploymentTools } from './deployment-tools.js';
import { undoFiles } from './go-back.js';
import { Journal } from './journal.js';
import { unitsToStart } from './restart-services.js';
import { switchFiles } from './switch-files.js';

/**
 * Before the updater exits while services are stopped by it, and the system is not going down: the switch is undone (the
 * last resort: finished) where it is not over, and what was stopped is asked to start, without waiting. The next start goes on from the
 * journal.
 */
export async function leaveServicesStarted(
  tools: Pick<DeploymentTools, 'store' | 'control' | 'log'>,
): Promise<void> {
  const { store, control, log } = tools;
  const journal = await Journal.read(store.journalPath);
  if (journal === null || (await control.isSystemStopping())) return;
  const { phase } = journal.head;
  if (phase === 'switching' && journal.body.purpose === 'factory') await switchFiles(journal);
  else if (phase === 'switching') {
    const message = 'the updater was stopped while switching';
    await journal.mark({ phase: 'undoing', cause: { code: 'DEPLOYMENT_FAILED', message } });
  }
  if (journal.head.phase === 'undoing') await undoFiles(journal, tools);
  if (journal.body.unitFilesChange) await control.reload();
  const side = journal.head.phase === 'switched' ? 'wanted' : 'left';
  await askToStartAll(control, unitsToStart(journal.body.plan, side), log);
}
