import type { ReleaseRow, Versions } from '../../machines/views.js';
import type { Release } from './release.js';
import type { Store } from './store.js';

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
