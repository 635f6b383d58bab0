import { isSystemError } from '../../services/disk.js';
import type { Status } from './answers.js';
import type { Client } from './client.js';
import { follow } from './follow.js';
import type { ProgressView } from './progress-view.js';

/**
 * Shows what an updater does until `isEnd` gives an end, which is the answer. Null where SIGINT or SIGTERM came first, or
 * nobody reads the output any more.
 */
export async function showUntil<End>(
  client: Client,
  view: ProgressView,
  isEnd: (status: Status) => End | null,
): Promise<End | null> {
  const interrupted = new AbortController();
  const interrupt = () => interrupted.abort();
  const onOutputError = (error: Error) => {
    if (!isSystemError(error, 'EPIPE')) throw error;
    interrupt();
  };
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  process.stdout.on('error', onOutputError);
  try {
    for await (const sight of follow(client, interrupted.signal)) {
      view.show(sight);
      const end = 'status' in sight ? isEnd(sight.status) : null;
      if (end !== null) return end;
    }
    return null;
  } finally {
    view.end();
    interrupt();
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
  }
}
