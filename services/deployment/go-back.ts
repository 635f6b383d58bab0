import type { Failure } from '../../machines/update-context.js';
import { stopUnits } from '../service-control/stop-units.js';
import type { DeploymentTools } from './deployment-tools.js';
import { Journal } from './journal.js';
import { isRunning } from './plan-units.js';
import { AS_FOUND } from './release.js';
import { settleServices, startServices } from './restart-services.js';
import type { Store } from './store.js';
import { undoSwitch } from './undo-switch.js';

/**
 * Brings the device back to the list that it came from, with its services running. Needs the journal alone, and no new
 * room on the disk; may be cut anywhere and called again. Answers how it ended, for people. Throws where the old version
 * does not start or settle either.
 */
export async function goBack(
  cause: Failure,
  tools: DeploymentTools,
  signal: AbortSignal,
): Promise<{ outcome: string }> {
  const { store, log } = tools;
  const journal = await Journal.read(store.journalPath);
  if (journal === null) return { outcome: 'nothing was changed' };
  const { from, to } = journal.body;
  const changedFiles = journal.head.phase !== 'stopping';
  if (journal.head.phase !== 'undone') {
    if (journal.head.phase !== 'undoing') await journal.mark({ phase: 'undoing', cause });
    if (changedFiles) await stopWhatRuns(journal, tools, signal);
    await undoFiles(journal, tools);
  }
  log.info('the files are back', { from: to.version, to: from?.version ?? 'as found' });
  await startServices(journal, 'left', tools, signal);
  await settleServices(journal, 'left', tools, signal);
  if (!changedFiles) return { outcome: 'nothing was changed' };
  return { outcome: `rolled back to ${from?.version ?? 'what was found'}` };
}

/** The part of going back that touches files and pointers; `recover` does this alone, before any service runs. */
export async function undoFiles(
  journal: Journal,
  { store, log }: Pick<DeploymentTools, 'store' | 'log'>,
): Promise<void> {
  await undoSwitch(journal, store, log);
  await restorePointers(journal, store);
  await journal.mark({ phase: 'undone' });
}

async function restorePointers(journal: Journal, store: Store): Promise<void> {
  const { pointers, purpose, to, from, leftId } = journal.body;
  await store.setPointer('current', pointers.current);
  await store.setPointer('previous', pointers.previous);
  await store.setPointer('factory', pointers.factory);
  const ids = await store.releaseIds();
  // Lists that only a commit that was not finished has written.
  if (purpose === 'update' && ids.includes(to.id)) await store.removeRelease(to.id);
  const isNewList = leftId === AS_FOUND ? pointers.factory === null : leftId !== from?.id;
  if (isNewList && ids.includes(leftId)) await store.removeRelease(leftId);
}

async function stopWhatRuns(
  { body }: Journal,
  { control, log, timing }: DeploymentTools,
  signal: AbortSignal,
) {
  const running = [];
  for (const { unit } of body.plan) if (isRunning(await control.look(unit))) running.push(unit);
  await stopUnits(control, running.reverse(), { signal, log, ...timing });
}
