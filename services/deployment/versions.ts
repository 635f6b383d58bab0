import type { ReleaseName } from '../../machines/package-order.js';
import type { Release } from './release.js';
import type { Store } from './store.js';

export interface ReleaseRow {
  id: string | null;
  version: string;
  /** ISO 8601; null for a version that was never committed. */
  installedAt: string | null;
  bytes: number | null;
  bad: { since: string; why: string } | null;
}

export interface Versions {
  current: ReleaseName | null;
  previous: ReleaseName | null;
  factory: ReleaseName | null;
  releases: ReleaseRow[];
}

/** What is installed, what it can go back to, and which versions have failed here. */
export async function readVersions(store: Store): Promise<Versions> {
  const bad = await store.badVersions();
  const releases: ReleaseRow[] = [];
  for (const id of await store.releaseIds()) {
    const release = await store.releaseIfThere(id);
    if (release === null) continue;
    const { version, installedAt } = release;
    releases.push({ id, version, installedAt, bytes: bytesOf(release), bad: bad[version] ?? null });
  }
  const listed = new Set(releases.map(({ version }) => version));
  for (const [version, why] of Object.entries(bad)) {
    if (!listed.has(version)) releases.push({ id: null, version, installedAt: null, bytes: null, bad: why });
  }
  return {
    current: await store.named('current'),
    previous: await store.named('previous'),
    factory: await store.named('factory'),
    releases,
  };
}

function bytesOf({ files }: Release): number {
  return Object.values(files).reduce((sum, record) => sum + (record?.size ?? 0), 0);
}
