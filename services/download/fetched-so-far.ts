import type { PackageIdentity } from '../../machines/package-order.js';
import { trustedBytes } from './partial.js';

type Told = [percent: number, message: string];

/** How far a download is, in percent and in words. */
export function fetchedSoFar(bytes: number, size: number): Told {
  return [(100 * bytes) / size, `Downloading package... ${megabytes(bytes)} / ${megabytes(size)}`];
}

/** The same of a download that a start has found, from what is on disk. */
export async function fetchedBeforeStart(
  tmpDir: string,
  identity: PackageIdentity,
  bootId: string,
): Promise<Told> {
  return fetchedSoFar(await trustedBytes(tmpDir, identity, bootId), identity.size);
}

/** Bytes for people. */
export function megabytes(bytes: number): string {
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}
