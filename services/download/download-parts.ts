import type { UpdateContext } from '../../machines/update-context.js';
import type { Configuration } from '../configuration/configuration.js';
import { pruneStore } from '../deployment/prune-store.js';
import type { Store } from '../deployment/store.js';
import { openConnections } from './connections.js';
import { limitRate } from './rate-limit.js';
import { needRoomForPackage } from './room-for-package.js';
import type { TransferParts } from './transfer-package.js';
import { trustedAuthorities } from './trusted-authorities.js';
import type { Log } from '../log/log.js';

/** What downloads need besides what every actor needs. */
export type DownloadParts = Required<
  Pick<TransferParts, 'order' | 'fetchedBefore' | 'makeRoom' | 'pace' | 'connections'>
>;

export interface DownloadSources {
  configuration: Configuration;
  tmpDir: string;
  store: Store;
  log: Log;
  reserveBytes: number;
  /** The machine's context as it is now. */
  context: () => UpdateContext;
}

/** Makes the parts of downloads. Throws a ConfigurationError where the file of authorities cannot be used. */
export async function makeDownloadParts({
  configuration,
  tmpDir,
  store,
  log,
  reserveBytes,
  context,
}: DownloadSources): Promise<DownloadParts> {
  const trust = await trustedAuthorities(configuration.caFile);
  return {
    order: () => context().order,
    fetchedBefore: () => context().attempts.bytes,
    makeRoom: (toFetch) =>
      needRoomForPackage(
        {
          tmpDir,
          toFetch,
          storeDir: store.root,
          toInflate: context().facts?.inflatedBytes ?? 0,
          reserveBytes,
        },
        () => pruneStore(store, { keep: 0 }, log),
      ),
    pace: limitRate(configuration.maxRate),
    connections: openConnections({ ...configuration, trust }),
  };
}
