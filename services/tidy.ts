import type { PackageIdentity } from '../machines/package-order.js';
import type { Kept } from '../machines/update-context.js';
import { closeDeployment } from './deployment/close-deployment.js';
import type { Store } from './deployment/store.js';
import type { Log } from './log/log.js';
import { makeReserve } from './saved-state/reserve.js';
import { tidyPackages } from './work-folder.js';

/** What shall stay of the package, and the version that has proved bad. */
export interface TidyInput {
  kept: Kept;
  identity: PackageIdentity | null;
  bad: { version: string; why: string } | null;
}

/**
 * Removes what an update leaves behind once its end is saved, then writes down what needs room: on a full disk only what
 * was just removed makes any. May be cut anywhere and called again.
 */
export async function tidy(
  { kept, identity, bad }: TidyInput,
  { store, keep, tmpDir, log }: { store: Store; keep: number; tmpDir: string; log: Log },
): Promise<void> {
  await closeDeployment(store, keep, log);
  await tidyPackages(tmpDir, kept, identity);
  if (bad !== null) await store.markVersion(bad.version, { since: new Date().toISOString(), why: bad.why });
  await makeReserve(tmpDir, log);
}
