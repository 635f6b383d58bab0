import { toUpdateError } from '../../machines/errors.js';
import type { JournalFacts } from '../../machines/update-events.js';
import type { Log } from '../log/log.js';
import { keptNotices } from './commit-notices.js';
import { Journal } from './journal.js';
import type { Store } from './store.js';

/** What the store says of the last deployment, for the machine to find its way from after a start. */
export async function deploymentFacts(store: Store, log: Log) {
  return {
    journal: await journalFacts(store, log),
    current: await store.pointer('current'),
    notices: await keptNotices(store, log),
  };
}

/**
 * What the journal says of a deployment that was cut; null where there is none. A journal that cannot be read is told and
 * left where it is: nothing of it may be lost, and the service starts all the same; it must not count as none.
 */
async function journalFacts(store: Store, log: Log): Promise<JournalFacts | null | 'unreadable'> {
  try {
    const journal = await Journal.read(store.journalPath);
    if (journal === null) return null;
    const { purpose, from, to } = journal.body;
    return { phase: journal.head.phase, cause: journal.head.cause, purpose, from, to };
  } catch (error) {
    log.error('the journal cannot be read', { why: toUpdateError(error).message });
    return 'unreadable';
  }
}
