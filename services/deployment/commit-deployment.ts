import { isSystemError, look } from '../disk.js';
import { keepNotices } from './commit-notices.js';
import type { DeploymentTools } from './deployment-tools.js';
import type { Journal } from './journal.js';
import { recordRelease } from './record-release.js';
import { readStaged } from './staged-release.js';

/**
 * Records the release that a journal has switched to as the live one, then removes the journal: that is the commit. May
 * be cut anywhere and called again. Answers with what people should know.
 */
export async function commitDeployment(journal: Journal, tools: DeploymentTools): Promise<string[]> {
  const { store, control, log } = tools;
  const kept = await recordRelease(store, journal, await readStaged(store), tools);
  const words = 'services were not started (no service manager)';
  const notices = control.canStart ? kept : [...kept, words];
  await keepNotices(store, notices);
  await removeForCommit(journal, tools);
  log.info('release committed', { release: journal.body.to.id });
  return notices;
}

/**
 * Once its name is gone there is no way back, and the release is the live one: a folder that cannot be synced then fails
 * nothing. After a power cut the journal may be there again, and a start goes on from it.
 */
async function removeForCommit(journal: Journal, { store, log }: DeploymentTools): Promise<void> {
  try {
    await journal.remove();
  } catch (error) {
    if (!isSystemError(error) || (await look(store.journalPath)) !== null) throw error;
    log.error('the folder of the journal could not be synced after the commit', { why: error.message });
  }
}
