import { join } from 'node:path';
import { addedPaths as addedPathsCheck } from '../compiled-checks.js';
import { writeDurably } from '../disk.js';
import type { Release } from './release.js';
import type { Store } from './store.js';

const NAME = 'added.json';

/** By release id: the paths that a commit adds to its list. */
type AddedPaths = Readonly<Record<string, readonly string[]>>;

function isAddedPaths(value: unknown): value is AddedPaths {
  return addedPathsCheck(value);
}

/**
 * Remembers durably, before a commit changes the first list, what it adds to which: going back from it takes exactly
 * that away again, and nothing that somebody else has recorded. A commit that was cut and is called again adds to it.
 */
export async function rememberAdded(store: Store, lists: readonly Release[]): Promise<void> {
  const before = await addedPaths(store);
  const added: Record<string, readonly string[]> = { ...before };
  for (const list of lists) {
    const known = (await store.releaseIfThere(list.id))?.files;
    if (known === undefined) continue;
    const paths = Object.keys(list.files).filter((path) => !Object.hasOwn(known, path));
    added[list.id] = [...(added[list.id] ?? []), ...paths];
  }
  const text = JSON.stringify(added);
  if (text === JSON.stringify(before)) return;
  await writeDurably('commit.release', join(store.staging, NAME), text, 0o600);
}

/** What the commit that is being undone has added; null where none has begun to change lists. */
export async function addedPaths(store: Store): Promise<AddedPaths | null> {
  const text = await store.stagedText(NAME);
  const parsed: unknown = text === null ? null : JSON.parse(text);
  return isAddedPaths(parsed) ? parsed : null;
}
