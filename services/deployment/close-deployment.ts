import type { Log } from '../log/log.js';
import { Journal } from './journal.js';
import { giveOwnInodes } from './own-inodes.js';
import { pruneStore } from './prune-store.js';
import { clearStaging } from './staged-release.js';
import type { Store } from './store.js';

/**
 * Removes what a deployment leaves behind once its end is saved: its journal (where it is undone, or the last resort is
 * over), the staging folder, releases that are not kept. With a journal that is still needed nothing is touched.
 */
export async function closeDeployment(store: Store, keep: number, log: Log): Promise<void> {
  const journal = await Journal.read(store.journalPath);
  if (journal !== null) {
    if (!(await isOver(journal, store))) {
      log.error('a deployment is not over yet: its journal and its files stay', {
        phase: journal.head.phase,
      });
      return;
    }
    await journal.remove();
  }
  await clearStaging(store);
  await pruneStore(store, { keep }, log);
  await giveOwnInodes(store, log);
}

/** Whether nothing of a journal is needed any more: it is undone, or of a last resort that is recorded. */
export async function isOver({ head, body }: Journal, store: Store): Promise<boolean> {
  if (head.phase === 'undone') return true;
  const isLastResort = body.purpose === 'factory' && head.phase === 'switched';
  return isLastResort && (await store.pointer('current')) === body.to.id;
}
