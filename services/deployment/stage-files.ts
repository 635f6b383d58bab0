import { constants } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import {
  copyToNewFile,
  linkFile,
  openForWriting,
  removeFile,
  setOwnerAndMode,
  syncFile,
  writeDurably,
} from '../disk.js';
import type { Log } from '../log.js';
import { CAPABILITY, readAttributes, writeAttributes, type Attributes } from './attributes.js';
import { recordFile, statFile, type FileStat } from './live-file.js';
import type { Operation } from './operation.js';
import { isSameFile, type FileRecord } from './release.js';
import type { Store } from './store.js';
import { mountPointOf, readMountPoints } from './target-path.js';
import type { Wish, WishedFile } from './wish.js';

/** ctime has the clock tick's grain (4 to 10 ms): a write in the tick of the link would not show in the stat. */
const CTIME_GRAIN_MS = 20;
/** Bits that a package may not set, and that are not inherited: set-id, sticky, and writable by all. */
const FORBIDDEN_MODE_BITS = 0o7002;

export interface StagingTools {
  store: Store;
  log: Log;
  signal: AbortSignal;
  /** Called with the bytes staged so far and the module that brought the last of them. */
  onBytes: (bytes: number, module: string | null) => void;
}

export interface StagedFiles {
  operations: Operation[];
  /** What the wanted list says of each path that was looked at. */
  records: Map<string, FileRecord | null>;
  /** What is really at paths that the live list does not name. */
  found: Map<string, FileRecord | null>;
  notices: string[];
}

interface Draft {
  wish: Wish;
  newAt: string | null;
  oldAt: string | null;
  oldIsCopy: boolean;
  stat: FileStat | null;
  wanted: FileRecord | null;
}

/**
 * Stages every wish that differs from what is there: the new file in an inode of its own, the old one held by a link,
 * so that switching and undoing are renames. Services run meanwhile; nothing live is changed.
 */
export async function stageFiles(
  wishes: readonly Wish[],
  hashesAll: boolean,
  tools: StagingTools,
): Promise<StagedFiles> {
  const staged: StagedFiles = { operations: [], records: new Map(), found: new Map(), notices: [] };
  const place = await placeFor(wishes, tools.store);
  const drafts: Draft[] = [];
  let bytes = 0;
  for (const [n, wish] of wishes.entries()) {
    tools.signal.throwIfAborted();
    const draft = await draftOf(wish, place(n, wish.path), hashesAll, tools);
    if (draft === null) {
      if (wish.listed !== undefined) staged.records.set(wish.path, wish.listed);
      continue;
    }
    drafts.push(draft);
    bytes += draft.wanted?.size ?? 0;
    tools.onBytes(bytes, wish.module);
  }
  await delay(CTIME_GRAIN_MS);
  const replaced = drafts.filter(({ stat }) => stat !== null).map(({ wish }) => wish.path);
  const attributes = await readAttributes(replaced, tools.log);
  const inherited = new Map<string, Attributes>();
  for (const draft of drafts) {
    tools.signal.throwIfAborted();
    await settleDraft(draft, attributes, inherited, staged, tools);
  }
  await writeAttributes(inherited, tools.log);
  return staged;
}

/** Where the files of an operation stand: in staging, or as dot files beside a target on another mount. */
async function placeFor(wishes: readonly Wish[], store: Store) {
  const mounts = await readMountPoints();
  const home = mountPointOf(store.staging, mounts);
  const placeOf = (n: number, path: string) => {
    const beside = mountPointOf(path, mounts);
    if (beside === home)
      return { newAt: join(store.staging, 'new', `${n}`), oldAt: join(store.staging, 'old', `${n}`) };
    const folder = isOn(dirname(path), beside) ? dirname(path) : beside;
    return { newAt: join(folder, `.tope-updater-${n}.new`), oldAt: join(folder, `.tope-updater-${n}.old`) };
  };
  const outside = wishes.flatMap(({ path }, n) => {
    const { newAt, oldAt } = placeOf(n, path);
    return newAt.startsWith(store.staging) ? [] : [newAt, oldAt];
  });
  if (outside.length > 0) {
    await writeDurably('staging.outside', join(store.staging, 'outside'), JSON.stringify(outside), 0o600);
  }
  return placeOf;
}

function isOn(folder: string, mount: string): boolean {
  return folder === mount || folder.startsWith(mount === '/' ? '/' : `${mount}/`);
}

/** First pass: the new content is written, the old file is linked. null: nothing has to be done for this path. */
async function draftOf(
  wish: Wish,
  at: { newAt: string; oldAt: string },
  hashesAll: boolean,
  tools: StagingTools,
): Promise<Draft | null> {
  const stat = await statFile(wish.path);
  const { listed, file } = wish;
  if (file === null && stat === null) return listed === undefined ? null : bare(wish);
  if (!hashesAll && stat !== null && isAsListed(listed, file)) return null;
  if (hashesAll && stat !== null && (await isThere(wish, stat, tools.signal))) return null;
  const wanted = file === null ? null : await writeNew(file, at.newAt, stat, tools);
  const isUnchanged = !hashesAll && stat !== null && wanted !== null && listed && isSameFile(listed, wanted);
  if (isUnchanged) {
    await removeFile('staging.remove', at.newAt);
    return null;
  }
  const oldIsCopy = stat !== null && stat.links > 1;
  if (stat !== null) await hold(wish.path, at.oldAt, oldIsCopy);
  return {
    wish,
    wanted,
    stat,
    oldIsCopy,
    newAt: file === null ? null : at.newAt,
    oldAt: stat === null ? null : at.oldAt,
  };
}

function bare(wish: Wish): Draft {
  return { wish, wanted: null, stat: null, oldIsCopy: false, newAt: null, oldAt: null };
}

function isAsListed(listed: FileRecord | null | undefined, file: WishedFile | null): boolean {
  if (!listed || file?.sha256 == null || listed.sha256 !== file.sha256) return false;
  const { mode, uid, gid } = listed;
  return (
    (file.mode === null || allowed(file.mode) === mode) &&
    (file.owner === null || (file.owner.uid === uid && file.owner.gid === gid))
  );
}

/** Whether the wished file stands at its path already, by its digest. */
async function isThere({ path, file }: Wish, stat: FileStat, signal: AbortSignal): Promise<boolean> {
  if (file?.sha256 == null || stat.size !== file.size) return false;
  const { mode, owner } = file;
  const fits =
    (mode === null || allowed(mode) === stat.mode || mode === stat.mode) &&
    (owner === null || (owner.uid === stat.uid && owner.gid === stat.gid));
  return fits && (await recordFile(path, stat, {}, signal)).sha256 === file.sha256;
}

function allowed(mode: number): number {
  return mode & ~FORBIDDEN_MODE_BITS;
}

async function writeNew(
  file: WishedFile,
  newAt: string,
  replaced: FileStat | null,
  { signal }: StagingTools,
): Promise<FileRecord> {
  const target = await openForWriting(
    'staging.write',
    newAt,
    constants.O_RDWR | constants.O_CREAT | constants.O_EXCL,
    0o600,
  );
  try {
    const { sha256, size, mode } = await file.content(target, signal);
    const owner = file.owner ?? replaced ?? { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };
    // A restored file gets the full mode that was found; one from a package never a set-id bit.
    const finalMode = file.owner === null ? allowed(file.mode ?? mode) : (file.mode ?? mode);
    await setOwnerAndMode('staging.attributes', target, { uid: owner.uid, gid: owner.gid, mode: finalMode });
    await syncFile('staging.sync', target);
    return { sha256, size, mode: finalMode, uid: owner.uid, gid: owner.gid, xattrs: {} };
  } finally {
    await target.close();
  }
}

/** Holds the old file: by a link to its inode, or by a copy where other names share it. */
export async function hold(path: string, oldAt: string, asCopy: boolean): Promise<void> {
  if (!asCopy) {
    await linkFile('staging.link', path, oldAt);
    return;
  }
  await copyToNewFile('staging.copy', path, oldAt);
  const [from, copy] = [
    await statFile(path),
    await openForWriting('staging.copy', oldAt, constants.O_RDWR, 0o600),
  ];
  try {
    if (from !== null) await setOwnerAndMode('staging.attributes', copy, from);
    await syncFile('staging.sync', copy);
  } finally {
    await copy.close();
  }
}

/** Second pass: what is there is hashed, and what turns out to be wanted already is dropped. */
async function settleDraft(
  draft: Draft,
  attributes: ReadonlyMap<string, Attributes>,
  inherited: Map<string, Attributes>,
  staged: StagedFiles,
  { signal, log }: StagingTools,
): Promise<void> {
  const { wish, newAt, oldAt, oldIsCopy } = draft;
  const { path, asked, listed } = wish;
  const stat = draft.stat === null ? null : await statFile(path);
  const xattrs = attributes.get(path) ?? {};
  const old = stat === null ? null : await recordFile(path, stat, xattrs, signal);
  const wanted = draft.wanted && { ...draft.wanted, xattrs: wish.file?.xattrs ?? withoutCapability(xattrs) };
  staged.records.set(path, wanted);
  if (listed === undefined) staged.found.set(path, old === null ? null : plain(old));
  if (old === null ? wanted === null : wanted !== null && isSameFile(old, wanted)) {
    if (newAt !== null) await removeFile('staging.remove', newAt);
    if (oldAt !== null) await removeFile('staging.remove', oldAt);
    return;
  }
  if (newAt !== null && wanted !== null) inherited.set(newAt, wanted.xattrs);
  if (oldAt !== null && oldIsCopy) inherited.set(oldAt, xattrs);
  if (wish.file?.xattrs == null && wanted !== null && CAPABILITY in xattrs) {
    const words = `${path} had file capabilities, the new file has none: set them anew if it needs them`;
    log.warn(words);
    staged.notices.push(words);
  }
  const operation: Operation = { asked, path, newAt, oldAt, oldIsCopy, old, wanted, keepBeside: null };
  staged.operations.push(listed === undefined ? operation : { ...operation, listed });
}

function withoutCapability(xattrs: Attributes): Attributes {
  return Object.fromEntries(Object.entries(xattrs).filter(([name]) => name !== CAPABILITY));
}

/** The record alone, without what only the switch needs. */
export function plain({ sha256, size, mode, uid, gid, xattrs }: FileRecord): FileRecord {
  return { sha256, size, mode, uid, gid, xattrs };
}
