import type { Log } from '../log.js';
import { Journal } from './journal.js';
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
    const isOver =
      journal.head.phase === 'undone' ||
      (journal.body.purpose === 'factory' && journal.head.phase === 'switched');
    if (!isOver) {
      log.error('a deployment is not undone yet: its journal and its files stay', {
        phase: journal.head.phase,
      });
      return;
    }
    await journal.remove();
  }
  await clearStaging(store);
  await pruneStore(store, { keep }, log);
}
