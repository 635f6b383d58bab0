import type { Log } from '../log/log.js';
import { rememberAdded } from './added-paths.js';
import type { Journal } from './journal.js';
import { keepContents } from './keep-contents.js';
import { keepEditedFiles } from './keep-edited-files.js';
import { differsFromList, type Operation } from './operation.js';
import { keptReleaseIds } from './prune-store.js';
import { AS_FOUND_VERSION, plain, type FileRecord, type Release } from './release.js';
import type { StagedRelease } from './staged-release.js';
import type { Store } from './store.js';

/**
 * Writes down durably that the wanted release is live: contents that kept releases need, edited files beside, lists and
 * pointers. It may be cut anywhere and called again. The commit itself is the removal of the journal, which follows.
 * Answers with what people should know.
 */
export async function recordRelease(
  store: Store,
  journal: Journal,
  staged: StagedRelease,
  tools: { keep: number; now: () => Date; log: Log },
): Promise<string[]> {
  const { operations } = journal.body;
  const lists = await listsAfter(store, journal, staged, tools);
  const factory = journal.body.pointers.factory ?? journal.body.leftId;
  await keepContents(store, operations, lists, { wanted: staged.wanted, factory, log: tools.log });
  const notices = await keepEditedFiles(operations, tools.log);
  await rememberAdded(store, lists);
  for (const list of lists) await store.writeRelease(list);
  const { to, from, leftId, pointers } = journal.body;
  if (pointers.factory === null) await store.setPointer('factory', leftId);
  const isReinstall = journal.body.purpose === 'update' && from?.version === to.version;
  if (!isReinstall) await store.setPointer('previous', leftId);
  await store.setPointer('current', to.id);
  await store.markVersion(to.version, null);
  return notices;
}

/** Every list that stays, with what is new to it: the wanted one, the one that is left, and those that lack a path. */
async function listsAfter(
  store: Store,
  journal: Journal,
  { live, wanted, found, purpose }: StagedRelease,
  { keep, now }: { keep: number; now: () => Date },
): Promise<Release[]> {
  const { operations, leftId, to, pointers } = journal.body;
  const reallyFound = { ...found, ...recordsFound(operations) };
  const edits = Object.fromEntries(
    operations.filter(differsFromList).map(({ path, old }) => [path, old && plain(old)] as const),
  );
  const base = live ?? asFound(leftId, now());
  const left: Release = { ...base, id: leftId, files: { ...reallyFound, ...base.files, ...edits } };
  const kept = await keptReleaseIds(store, {
    keep,
    also: [pointers.factory ?? leftId, leftId, to.id],
  });
  const others: Release[] = [];
  for (const id of kept) {
    if (id === leftId || id === wanted.id) continue;
    const list = await store.releaseIfThere(id);
    if (list === null) continue;
    const files = { ...reallyFound, ...list.files };
    if (Object.keys(files).length > Object.keys(list.files).length) others.push({ ...list, files });
  }
  const isNewList = purpose === 'update';
  return [...others, left, ...(isNewList ? [wanted] : [])];
}

/** What was really at the paths of operations that the live list does not name. */
function recordsFound(operations: readonly Operation[]): Record<string, FileRecord | null> {
  const unlisted = operations.filter(({ listed }) => listed === undefined);
  return Object.fromEntries(unlisted.map(({ path, old }) => [path, old && plain(old)]));
}

function asFound(id: string, now: Date): Release {
  return {
    schema: 1,
    id,
    version: AS_FOUND_VERSION,
    package: null,
    installedAt: now.toISOString(),
    files: {},
    folders: [],
    units: [],
  };
}
