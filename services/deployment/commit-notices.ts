import { join } from 'node:path';
import { writeDurably } from '../disk.js';
import type { Log } from '../log/log.js';
import type { Store } from './store.js';

const NAME = 'notices.json';

/**
 * Keeps, durably, what people should know of a commit, until its end is saved and staging is emptied: the process may be
 * cut between the commit and that save.
 */
export async function keepNotices(store: Store, notices: readonly string[]): Promise<void> {
  if (notices.length === 0) return;
  await writeDurably('commit.notices', join(store.staging, NAME), JSON.stringify(notices), 0o600);
}

/** What the newest commit had to tell, where its staging folder is still there; what cannot be read is told and left out. */
export async function keptNotices(store: Store, log: Log): Promise<string[]> {
  try {
    const parsed: unknown = JSON.parse((await store.stagedText(NAME)) ?? '[]');
    return Array.isArray(parsed) ? parsed.map(String) : [];
  } catch (error) {
    log.warn('the notices of the last commit cannot be read', { why: String(error) });
    return [];
  }
}
