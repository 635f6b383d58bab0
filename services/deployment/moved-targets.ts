import { UpdateError } from '../../machines/errors.js';
import { aFewAtOnce } from '../a-few-at-once.js';
import type { Operation } from './operation.js';
import { folderFollowed, resolveTarget, type FoldersSeen, type Territory } from './target-path.js';

/** Refuses where a path leads elsewhere than it did when it was recorded. Throws DEPLOYMENT_FAILED. */
export async function refuseMovedTargets(
  operations: readonly Pick<Operation, 'asked' | 'path'>[],
  territory: Territory,
): Promise<void> {
  const seen: FoldersSeen = new Map();
  await aFewAtOnce(operations, async ({ asked, path }) => {
    needSame(asked, path, await resolveTarget(asked, territory, seen));
  });
}

/**
 * Refuses where a folder of a recorded path leads elsewhere by now; what stands at the path itself does not matter. Throws
 * DEPLOYMENT_FAILED.
 */
export async function refuseMovedFolders(targets: readonly Pick<Operation, 'path'>[]): Promise<void> {
  const seen: FoldersSeen = new Map();
  for (const { path } of targets) needSame(path, path, await folderFollowed(path, seen));
}

function needSame(asked: string, before: string, now: string): void {
  if (now === before) return;
  throw new UpdateError('DEPLOYMENT_FAILED', `${asked} led to ${before} before and leads to ${now} now`);
}
