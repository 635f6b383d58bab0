import { dirname } from 'node:path';
import { isSystemError, linkFile, look, makeFolders, removeFile, syncFolder } from '../disk.js';
import type { Log } from '../log/log.js';
import { sha256OfFile } from './content.js';
import { rememberAdded } from './added-paths.js';
import { writeAttributes } from './attributes.js';
import { copyDurably } from './copy-durably.js';
import type { Journal } from './journal.js';
import { differsFromList, type FoundFile, type Operation } from './operation.js';
import { AS_FOUND_VERSION, type FileRecord, type Release } from './release.js';
import { plain } from './stage-files.js';
import type { StagedRelease } from './staged-release.js';
import type { Store } from './store.js';
import { keptReleaseIds } from './prune-store.js';

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
    extra: [leftId, to.id],
    factory: pointers.factory ?? leftId,
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

/** Contents go to the objects where a list that stays has them at a path where the live list has another, or none. */
async function keepContents(
  store: Store,
  operations: readonly Operation[],
  lists: readonly Release[],
  { wanted, factory, log }: { wanted: Release; factory: string; log: Log },
): Promise<void> {
  const heldAt = new Map<string, string>();
  for (const { old, oldAt } of operations) if (old !== null && oldAt !== null) heldAt.set(old.sha256, oldAt);
  const done = new Set<string>();
  for (const list of lists) {
    const isFactory = list.id === factory;
    for (const [path, record] of Object.entries(list.files)) {
      if (record === null || done.has(record.sha256)) continue;
      const isLive = wanted.files[path]?.sha256 === record.sha256;
      if (isLive && !isFactory) continue;
      done.add(record.sha256);
      await keepContent(store, record, heldAt.get(record.sha256) ?? null, isLive ? path : null, log);
    }
  }
  await syncFolder('commit.sync', store.objects);
}

async function keepContent(
  store: Store,
  { sha256, size }: FileRecord,
  heldAt: string | null,
  liveAt: string | null,
  log: Log,
): Promise<void> {
  const object = store.objectPath(sha256);
  const there = await look(object);
  const source = heldAt !== null && (await look(heldAt)) !== null ? heldAt : liveAt;
  if (source === null) return;
  // What is held proves a digest for nothing more than reading; what merely is live is trusted by its size.
  const isGood = source === heldAt ? (await digestOf(object)) === sha256 : there?.size === size;
  if (there !== null && isGood) return;
  if (there !== null) await removeFile('commit.object', object);
  if (source === heldAt) return linkOrCopy(heldAt, object);
  if ((await look(source))?.isFile() === true) {
    await copyDurably(source, object, null);
    if ((await digestOf(object)) === sha256) return;
    await removeFile('commit.object', object);
  }
  log.warn('a file was changed before its content could be kept for the factory release', { path: liveAt });
}

async function digestOf(path: string): Promise<string | null> {
  return (await look(path)) === null ? null : sha256OfFile(path);
}

async function linkOrCopy(heldAt: string, object: string): Promise<void> {
  // What is held beside a target on another mount cannot be linked into the store.
  if (/\/\.tope-updater-\d+\.old$/.test(heldAt)) return copyDurably(heldAt, object, null);
  await linkFile('commit.object', heldAt, object);
}

/** Edited files stay beside, as copies with the attributes they had. */
async function keepEditedFiles(operations: readonly Operation[], log: Log): Promise<string[]> {
  const notices: string[] = [];
  for (const { path, oldAt, old, keepBeside } of operations) {
    if (keepBeside === null || oldAt === null || old === null) continue;
    if ((await digestOf(keepBeside)) === old.sha256) {
      notices.push(keptWords(path, keepBeside));
      continue;
    }
    const words = (await keepEditedFile(oldAt, keepBeside, old, log))
      ? keptWords(path, keepBeside)
      : `${path} was edited on this device and could not be kept beside: its folder is none any more`;
    log.warn(words);
    notices.push(words);
  }
  return notices;
}

function keptWords(path: string, keepBeside: string): string {
  return `${path} was edited on this device: kept as ${keepBeside}`;
}

/**
 * Whether it could be kept: the new version, which runs by now, may have moved the folder away (then it is made again)
 * or made a file of it. The commit does not fail for that: the contents are among the objects too.
 */
async function keepEditedFile(oldAt: string, beside: string, old: FoundFile, log: Log): Promise<boolean> {
  try {
    const made = await makeFolders('commit.localCopy', dirname(beside), 0o755);
    for (const folder of made) await syncFolder('commit.sync', dirname(folder));
    await removeFile('commit.localCopy', beside);
    await copyDurably(oldAt, beside, old);
    await writeAttributes(new Map([[beside, old.xattrs]]), log);
    return true;
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR') && (await look(oldAt)) !== null) return false;
    throw error;
  }
}
