import { stat } from 'node:fs/promises';
import { needRoom } from '../free-room.js';

export interface RoomNeeded {
  /** Where the package comes in, and the bytes that are still to fetch. */
  tmpDir: string;
  toFetch: number;
  /** Where it is staged, and the bytes that it inflates to; 0 where that is not known. */
  storeDir: string;
  toInflate: number;
  /** What stays free on each file system, for the device's services. */
  reserveBytes: number;
}

/**
 * Throws DISK_FULL where a file system that a package needs has not enough room for an unprivileged writer; `prune` is
 * asked to make some first.
 */
export async function needRoomForPackage(
  { tmpDir, toFetch, storeDir, toInflate, reserveBytes }: RoomNeeded,
  prune: () => Promise<void>,
): Promise<void> {
  const [tmp, store] = await Promise.all([stat(tmpDir), stat(storeDir)]);
  if (tmp.dev === store.dev) return needRoom(tmpDir, toFetch + toInflate + reserveBytes, prune);
  await needRoom(tmpDir, toFetch + reserveBytes, prune);
  if (toInflate > 0) await needRoom(storeDir, toInflate + reserveBytes, prune);
}
