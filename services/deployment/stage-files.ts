import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { aFewAtOnce } from '../a-few-at-once.js';
import { removeFile, syncFileAt, syncFolder } from '../disk.js';
import type { Log } from '../log/log.js';
import { CAPABILITY, readAttributes, type Attributes } from './attributes.js';
import { giveAttributes, hold, type FinalAttributes } from './held-file.js';
import { recordFile, statFile, type FileStat } from './live-file.js';
import { writeNew } from './new-file.js';
import type { FoundFile, Operation } from './operation.js';
import { isSameFile, plain, type FileRecord } from './release.js';
import type { StagingPlace } from './staging-place.js';
import type { Store } from './store.js';

/** ctime has the clock tick's grain (4 to 10 ms): a write in the tick of the link would not show in the stat. */
const CTIME_GRAIN_MS = 20;
const SET_ID_AND_STICKY = 0o7000;

export interface StagingTools {
  store: Store;
  log: Log;
  signal: AbortSignal;
  /** Called with the bytes staged so far and the module that brought the last of them. */
  onBytes: (bytes: number, module: string | null) => void;
  /** Kept contents are linked instead of copied: the last resort where there is no room. */
  linksObjects: boolean;
}

export interface StagedFiles {
  operations: Operation[];
  /** What the wanted list says of each path that was looked at. */
  records: Map<string, FileRecord | null>;
  /** What is really at paths that the live list does not name. */
  found: Map<string, FileRecord | null>;
  notices: string[];
}

interface Draft extends StagingPlace {
  stat: FileStat | null;
  wanted: FileRecord | null;
  oldIsCopy: boolean;
}

/**
 * Stages the new file in an inode of its own, the old one held by a link, so that switching and undoing are renames.
 * Contents and names are durable then. Services run meanwhile; nothing live is changed.
 */
export async function stageFiles(
  places: readonly StagingPlace[],
  hashesAll: boolean,
  tools: StagingTools,
): Promise<StagedFiles> {
  const staged: StagedFiles = { operations: [], records: new Map(), found: new Map(), notices: [] };
  const drafts: Draft[] = [];
  let bytes = 0;
  for (const place of places) {
    tools.signal.throwIfAborted();
    const draft = await draftOf(place, hashesAll, staged, tools);
    bytes += place.wish.file?.size ?? 0;
    tools.onBytes(bytes, place.wish.module);
    if (draft !== null) drafts.push(draft);
  }
  // While services still run: what they write from now on shows in the stat, and only that is synced once they are down.
  const linked = drafts.filter(({ stat, oldIsCopy }) => stat !== null && !oldIsCopy);
  await aFewAtOnce(linked, ({ oldAt }) => syncFileAt('staging.sync', oldAt));
  await delay(CTIME_GRAIN_MS);
  const replaced = drafts.filter(({ stat }) => stat !== null).map(({ wish }) => wish.path);
  const attributes = await readAttributes(replaced, tools.log);
  const last = new Map<string, FinalAttributes>();
  for (const draft of drafts) {
    tools.signal.throwIfAborted();
    await settleDraft(draft, attributes.get(draft.wish.path) ?? {}, { staged, last, tools });
  }
  await giveAttributes(last, tools.log);
  await syncNames(staged.operations);
  return staged;
}

async function syncNames(operations: readonly Operation[]): Promise<void> {
  const names = operations.flatMap(({ newAt, oldAt }) => [newAt, oldAt]).filter((at) => at !== null);
  for (const folder of new Set(names.map((at) => dirname(at)))) await syncFolder('staging.sync', folder);
}

/** First pass: the new content is written, the old file is held. null: it turns out to be what is listed. */
async function draftOf(
  place: StagingPlace,
  hashesAll: boolean,
  staged: StagedFiles,
  tools: StagingTools,
): Promise<Draft | null> {
  const { wish, newAt, oldAt } = place;
  const { path, listed, file } = wish;
  const stat = await statFile(path);
  const linksObjects = tools.linksObjects && !place.isOutside;
  const wanted = file === null ? null : await writeNew(file, newAt, stat, { ...tools, linksObjects });
  if (!hashesAll && stat !== null && wanted !== null && listed && isSameFile(listed, wanted)) {
    await removeFile('staging.remove', newAt);
    staged.records.set(path, listed);
    return null;
  }
  const oldIsCopy = stat !== null && stat.links > 1;
  if (stat !== null) await hold(path, oldAt, oldIsCopy);
  return { ...place, stat, wanted, oldIsCopy };
}

/** Second pass: what is held is hashed, and what turns out to be wanted already is dropped. */
async function settleDraft(
  draft: Draft,
  xattrs: Attributes,
  { staged, last, tools }: { staged: StagedFiles; last: Map<string, FinalAttributes>; tools: StagingTools },
): Promise<void> {
  const { wish, oldIsCopy } = draft;
  const { path, asked, listed } = wish;
  const old = await heldRecord(draft, xattrs, tools.signal);
  const wanted = draft.wanted && { ...draft.wanted, xattrs: wish.file?.xattrs ?? inherited(xattrs) };
  staged.records.set(path, wanted);
  if (listed === undefined) staged.found.set(path, old === null ? null : plain(old));
  const newAt = wanted === null ? null : draft.newAt;
  const oldAt = old === null ? null : draft.oldAt;
  if (old === null ? wanted === null : wanted !== null && isSameFile(old, wanted)) {
    if (newAt !== null) await removeFile('staging.remove', newAt);
    if (oldAt !== null) await removeFile('staging.remove', oldAt);
    return;
  }
  if (newAt !== null && wanted !== null) last.set(newAt, wanted);
  if (oldAt !== null && old !== null && oldIsCopy) last.set(oldAt, old);
  if (old !== null && wanted !== null && wish.file?.owner === null) {
    const lost = lostRights(path, old);
    if (lost !== null) staged.notices.push(lost);
    if (lost !== null) tools.log.warn(lost);
  }
  const operation: Operation = { asked, path, newAt, oldAt, oldIsCopy, old, wanted, keepBeside: null };
  staged.operations.push(listed === undefined ? operation : { ...operation, listed });
}

/**
 * The record of what is held, by the held name: the live one may lead to another file by now, and then shows as written
 * to once services are stopped. A copy goes by the stat from before the copying.
 */
async function heldRecord(
  { stat, oldAt, oldIsCopy }: Draft,
  xattrs: Attributes,
  signal: AbortSignal,
): Promise<FoundFile | null> {
  const held = stat === null || oldIsCopy ? stat : await statFile(oldAt);
  return held === null ? null : recordFile(oldAt, held, xattrs, signal);
}

function inherited(xattrs: Attributes): Attributes {
  return Object.fromEntries(Object.entries(xattrs).filter(([name]) => name !== CAPABILITY));
}

/** What a file from a package never inherits from the one that it replaces, in words; null where there was nothing. */
function lostRights(path: string, old: FileRecord): string | null {
  const rights = [
    ...(CAPABILITY in old.xattrs ? ['file capabilities'] : []),
    ...((old.mode & SET_ID_AND_STICKY) === 0 ? [] : [`the mode ${old.mode.toString(8)}`]),
  ];
  if (rights.length === 0) return null;
  return `${path} had ${rights.join(' and ')}, the new file has not: set them anew if it needs them`;
}
