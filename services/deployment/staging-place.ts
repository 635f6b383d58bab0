import { stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { UpdateError } from '../../machines/errors.js';
import { isSystemError, writeDurably } from '../disk.js';
import { needRoom } from '../free-room.js';
import type { Store } from './store.js';
import { mountPointOf, readMountPoints } from './target-path.js';
import type { Wish } from './wish.js';

/** What names of ours beside a target begin with. */
const BESIDE = '.tope-updater-';

/** Where the two files of an operation stand until the commit. */
export interface StagingPlace {
  wish: Wish;
  newAt: string;
  oldAt: string;
  /** Not in the store: beside the target, because that is on another mount. */
  isOutside: boolean;
  /** A folder on the file system that both take room on. */
  folder: string;
}

/**
 * A place for each wish: in staging, or where link(2) from there does not work (another mount, another subvolume) as
 * dot files beside the target (not in a folder of `leaving`, which shall be empty after the switch), whose names are on
 * disk before the first is made. Throws DEPLOYMENT_FAILED for a mount point where a file is wanted, and for a file where
 * a folder is.
 */
export async function placesFor(
  wishes: readonly Wish[],
  leaving: readonly string[],
  store: Store,
): Promise<StagingPlace[]> {
  const mounts = await readMountPoints();
  const home = await fileSystemOf(store.staging, mounts);
  const places: StagingPlace[] = [];
  const above = new Map<string, { folder: string; isOutside: boolean }>();
  for (const [n, wish] of wishes.entries()) {
    if (mounts.includes(wish.path))
      throw new UpdateError(
        'DEPLOYMENT_FAILED',
        `${wish.path} is a mount point, a regular file was expected`,
      );
    const { folder, isOutside } = above.get(dirname(wish.path)) ?? (await nearest(wish.path));
    above.set(dirname(wish.path), { folder, isOutside });
    places.push({
      wish,
      newAt: isOutside ? nameBeside(folder, n, 'new') : join(store.staging, 'new', `${n}`),
      oldAt: isOutside ? nameBeside(folder, n, 'old') : join(store.staging, 'old', `${n}`),
      isOutside,
      folder: isOutside ? folder : store.root,
    });
  }
  const names = places.flatMap(({ isOutside, newAt, oldAt }) => (isOutside ? [newAt, oldAt] : []));
  if (names.length > 0)
    await writeDurably('staging.outside', join(store.staging, 'outside'), JSON.stringify(names), 0o600);
  return places;

  async function nearest(path: string) {
    const folder = await folderAbove(path, leaving);
    return { folder, isOutside: (await fileSystemOf(folder, mounts)) !== home };
  }
}

function nameBeside(folder: string, n: number, which: 'new' | 'old'): string {
  return join(folder, `${BESIDE}${n}.${which}`);
}

/** Whether a path has a name of ours beside a target, and not one in the store. */
export function isBesideTarget(path: string): boolean {
  const name = basename(path);
  return name.startsWith(BESIDE) && /^\d+\.(?:new|old)$/.test(name.slice(BESIDE.length));
}

/** Throws DISK_FULL where one of the file systems concerned has no room for the new files; the store's keeps a reserve. */
export async function needRoomFor(
  places: readonly StagingPlace[],
  { store, reserveBytes, prune }: { store: Store; reserveBytes: number; prune: () => Promise<void> },
): Promise<void> {
  const bytesIn = new Map([[store.root, reserveBytes]]);
  for (const { wish, folder } of places)
    bytesIn.set(folder, (bytesIn.get(folder) ?? 0) + (wish.file?.size ?? 0));
  const needed = new Map<number, { folder: string; bytes: number }>();
  for (const [folder, bytes] of bytesIn) {
    const { dev } = await stat(folder);
    const known = needed.get(dev);
    needed.set(dev, { folder: known?.folder ?? folder, bytes: bytes + (known?.bytes ?? 0) });
  }
  for (const { folder, bytes } of needed.values()) await needRoom(folder, bytes, prune);
}

/** The nearest folder above a path that is there, and stays. */
async function folderAbove(path: string, leaving: readonly string[]): Promise<string> {
  for (let at = dirname(path); ; at = dirname(at)) {
    try {
      if ((await stat(at)).isDirectory()) {
        if (leaving.includes(at)) continue;
        return at;
      }
      throw new UpdateError('DEPLOYMENT_FAILED', `${at} is a file, a folder was expected`);
    } catch (error) {
      if (!isSystemError(error, 'ENOENT', 'ENOTDIR')) throw error;
    }
  }
}

/** What two paths must have in common for link(2) and rename(2) between them. */
async function fileSystemOf(folder: string, mounts: readonly string[]): Promise<string> {
  return `${mountPointOf(folder, mounts)} ${(await stat(folder)).dev}`;
}
