import { dirname, join } from 'node:path';
import { UpdateError } from '../../machines/errors.js';
import { stagedRelease } from '../compiled-checks.js';
import { look, makeFolder, readText, removeFile, removeTree, syncFolder, writeDurably } from '../disk.js';
import { jsonOrNull } from './json-or-null.js';
import type { Operation } from './operation.js';
import type { FileRecord, Release } from './release.js';
import { isBesideTarget } from './staging-place.js';
import type { Store } from './store.js';

/** What staging has found out and prepared: all that stopping, switching and committing need. */
export interface StagedRelease {
  purpose: 'update' | 'rollback' | 'factory';
  /** The list that is live; null before the first update. */
  live: Release | null;
  /** The list that is wanted, whole. */
  wanted: Release;
  operations: Operation[];
  /** What is really at paths that no list names yet. */
  found: Record<string, FileRecord | null>;
  newFolders: string[];
  oldFolders: string[];
  postCommands: string[];
  notices: string[];
}

function isStaged(value: unknown): value is StagedRelease {
  return stagedRelease(value);
}

function listPath(store: Store): string {
  return join(store.staging, 'release.json');
}

/** Writes what was staged, durably, beside the staged files. */
export async function writeStaged(store: Store, staged: StagedRelease): Promise<void> {
  await writeDurably('staging.write', listPath(store), JSON.stringify(staged), 0o600);
}

/** What was staged. Throws DEPLOYMENT_FAILED where nothing (whole) is staged. */
export async function readStaged(store: Store): Promise<StagedRelease> {
  const text = await readText(listPath(store));
  const parsed = text === null ? null : jsonOrNull(text);
  if (isStaged(parsed)) return parsed;
  throw new UpdateError(
    'DEPLOYMENT_FAILED',
    'nothing whole is staged: the list of what was is missing or damaged',
  );
}

/** Empties the staging folder, and removes what was staged beside targets on other mounts. */
export async function clearStaging(store: Store): Promise<void> {
  const outside = await store.stagedText('outside');
  const names: unknown = outside === null ? [] : JSON.parse(outside);
  const ours = Array.isArray(names) ? names.map(String).filter(isBesideTarget) : [];
  for (const path of ours) await removeFile('staging.remove', path);
  // Gone for good before the list of their names is.
  for (const folder of new Set(ours.map((path) => dirname(path)))) {
    if ((await look(folder)) !== null) await syncFolder('staging.remove', folder);
  }
  if ((await look(store.staging)) === null) return;
  await removeTree('staging.remove', store.staging);
  await syncFolder('staging.remove', store.root);
}

/** An empty staging folder, ready to be written to. */
export async function makeStaging(store: Store): Promise<void> {
  await clearStaging(store);
  for (const folder of [store.staging, join(store.staging, 'new'), join(store.staging, 'old')]) {
    await makeFolder('staging.make', folder, 0o700);
  }
  // What stands outside is found again by a list in here: a cut must not take this folder's own name.
  await syncFolder('staging.make', store.root);
}
