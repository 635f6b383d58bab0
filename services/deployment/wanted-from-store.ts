import type { FileHandle } from 'node:fs/promises';
import { UpdateError } from '../../machines/errors.js';
import { isSystemError, openForReading } from '../disk.js';
import { copyHashed } from './content.js';
import { isSameFile, type FileRecord, type Release } from './release.js';
import type { Store } from './store.js';
import type { Content, WantedRelease, Wish, WishedFile } from './wish.js';

/** What going to a kept release needs: its listed files where they differ, with contents from the objects. */
export async function wantedFromStore(
  store: Store,
  { id, purpose }: { id: string; purpose: 'rollback' | 'factory' },
): Promise<WantedRelease> {
  const release = await store.release(id);
  const current = await store.pointer('current');
  const live = current === null ? null : await store.release(current);
  const hashesAll = id === (await store.pointer('factory'));
  const paths = new Set([...Object.keys(release.files), ...Object.keys(live?.files ?? {})]);
  const wishes: Wish[] = [];
  for (const path of [...paths].sort()) {
    const record = release.files[path];
    const listed = live?.files[path];
    if (record === undefined) continue;
    if (!hashesAll && isSameRecord(record, listed)) continue;
    wishes.push({
      asked: path,
      path,
      listed,
      file: record === null ? null : wishedFile(store, release, record),
      module: null,
    });
  }
  return { purpose, live, wishes, hashesAll, release, postCommands: [], notices: [] };
}

function isSameRecord(a: FileRecord | null, b: FileRecord | null | undefined): boolean {
  return a === null ? b === null : b != null && isSameFile(a, b);
}

function wishedFile(store: Store, { version }: Release, record: FileRecord): WishedFile {
  const { sha256, size, mode, uid, gid, xattrs } = record;
  const object = store.objectPath(sha256);
  const owner = { uid, gid };
  return { sha256, size, mode, owner, xattrs, object, content: objectContent(store, version, record) };
}

function objectContent(store: Store, version: string, { sha256, size }: FileRecord): Content {
  return async (target, signal) => {
    const source = await openObject(store, version, sha256);
    try {
      const copied = await copyHashed(source, target, signal);
      if (copied.sha256 !== sha256)
        throw await damaged(store, version, `the content kept as ${sha256} hashes to ${copied.sha256}`);
      return { sha256, size, mode: 0o644 };
    } finally {
      await source.close();
    }
  };
}

async function openObject(store: Store, version: string, sha256: string): Promise<FileHandle> {
  try {
    return await openForReading(store.objectPath(sha256));
  } catch (error) {
    if (!isSystemError(error, 'ENOENT')) throw error;
    throw await damaged(store, version, `the content ${sha256} is missing`);
  }
}

/** A release that cannot be gone back to any more is told as bad. */
async function damaged(store: Store, version: string, how: string): Promise<UpdateError> {
  const error = new UpdateError('DEPLOYMENT_FAILED', `release ${version} is damaged: ${how}`);
  await store.markVersion(version, { since: new Date().toISOString(), why: error.line });
  return error;
}
