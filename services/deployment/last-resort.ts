import type { WayBack } from '../../machines/actor-ports.js';
import { UpdateError } from '../../machines/errors.js';
import type { Failure } from '../../machines/update-context.js';
import { isSystemError } from '../disk.js';
import { applySwitch } from './apply-switch.js';
import { clearTheWay } from './clear-the-way.js';
import { recordRelease } from './record-release.js';
import type { DeploymentTools } from './deployment-tools.js';
import { Journal } from './journal.js';
import { needMountedRoots } from './mounted-roots.js';
import { pruneStore } from './prune-store.js';
import { settlePlanned, startPlanned } from './carry-out-plan.js';
import { readStaged } from './staged-release.js';
import { stageWanted } from './stage-wanted.js';
import { stopForSwitch } from './stop-for-switch.js';
import { refuseMovedFolders, refuseMovedTargets } from './moved-targets.js';
import { wantedFromStore } from './wanted-from-store.js';

/**
 * The factory release, when the version that was live before does not run either. Finished forward, never undone, under
 * a journal of its own purpose; may be cut and called again. Throws where there is no other factory release, where one of
 * its folders leads elsewhere by now, or where it does not run.
 */
export async function takeLastResort(
  cause: Failure,
  tools: DeploymentTools,
  signal: AbortSignal,
): Promise<WayBack> {
  const journal = await openJournal(cause, tools, signal);
  await needMountedRoots(journal);
  if (journal.head.phase === 'stopping') await refuseMovedTargets(journal.body.operations, tools.territory);
  if (journal.head.phase !== 'switched') await applySwitch(journal);
  const notices = await record(journal, tools);
  await startPlanned(journal, 'wanted', tools, signal);
  await settlePlanned(journal, 'wanted', tools, signal);
  return { outcome: `rolled back to factory ${journal.body.to.version}`, hasSwitched: true, notices };
}

/** On a full disk the services matter more: the journal stays, and the next start comes here again. */
async function record(journal: Journal, tools: DeploymentTools): Promise<string[]> {
  const { store, log } = tools;
  if ((await store.pointer('current')) === journal.body.to.id) return [];
  try {
    return await recordRelease(store, journal, await readStaged(store), tools);
  } catch (error) {
    if (!isSystemError(error)) throw error;
    log.error('the factory release could not be recorded as the live one', { why: error.message });
    return [];
  }
}

async function openJournal(cause: Failure, tools: DeploymentTools, signal: AbortSignal): Promise<Journal> {
  const { store } = tools;
  const journal = await Journal.read(store.journalPath);
  const isOurs = journal?.body.purpose === 'factory';
  if (isOurs && journal.head.phase !== 'stopping') return journal;
  if (isOurs) return stopForSwitch(await readStaged(store), tools, signal);
  if (journal !== null && journal.head.phase !== 'undone') {
    throw new UpdateError(
      'ROLLBACK_FAILED',
      `the files could not be undone (the journal is ${journal.head.phase})`,
    );
  }
  const id = await store.pointer('factory');
  if (id === null) throw new UpdateError('ROLLBACK_FAILED', 'there is no factory release to fall back to');
  if (id === journal?.body.from?.id && id === (await store.pointer('current'))) {
    throw new UpdateError('ROLLBACK_FAILED', 'what was live is the factory release itself');
  }
  const makeWanted = async () => {
    const wanted = await wantedFromStore(store, { id, purpose: 'factory' });
    // Before anything is moved out of the way: through a folder that was moved that would be somebody else's.
    await refuseMovedFolders(wanted.wishes);
    await clearTheWay(wanted, tools.log);
    return wanted;
  };
  const staged = await stageWanted(makeWanted, {
    ...tools,
    signal,
    onBytes: () => undefined,
    prune: () => pruneStore(store, { keep: 0, dropsPrevious: true }, tools.log),
    mayLinkObjects: true,
    replacesUndone: true,
  });
  const { code, message } = cause;
  return stopForSwitch(staged, tools, signal, { cause: { code, message }, plan: journal?.body.plan ?? [] });
}
