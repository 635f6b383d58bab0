import { isSystemError, look } from '../disk.js';
import type { Log } from '../log/log.js';
import { copyDurably } from './copy-durably.js';
import type { Store } from './store.js';

/**
 * Gives every kept content an inode of its own again, where it shares one with another name: the last resort links
 * contents where it has no room to copy them, and whoever writes into the live file then writes into the kept one.
 */
export async function giveOwnInodes(store: Store, log: Log): Promise<void> {
  for (const name of await store.objectNames()) {
    const path = store.objectPath(name);
    const entry = await look(path);
    if (entry?.isFile() !== true || entry.nlink === 1) continue;
    try {
      await copyDurably(path, path, entry);
      log.info('a kept content has a file of its own again', { content: name });
    } catch (error) {
      if (!isSystemError(error, 'ENOSPC', 'EDQUOT')) throw error;
      log.warn('there is no room yet to give a kept content a file of its own', { content: name });
    }
  }
}
