import type { FileHandle } from 'node:fs/promises';
import { UpdateError } from '../../machines/errors.js';
import { isSystemError, openForReading } from '../disk.js';
import { copyHashed } from './content.js';
import { isSameFile, type FileRecord, type Release } from './release.js';
import type { Store } from './store.js';
import type { Content, WantedRelease, Wish } from './wish.js';

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

function wishedFile(store: Store, { version }: Release, record: FileRecord) {
  const { sha256, size, mode, uid, gid, xattrs } = record;
  return { sha256, size, mode, owner: { uid, gid }, xattrs, content: objectContent(store, version, record) };
}

function objectContent(store: Store, version: string, { sha256, size }: FileRecord): Content {
  return async (target: FileHandle, signal: AbortSignal) => {
    const source = await openObject(store.objectPath(sha256), version);
    try {
      const copied = await copyHashed(source, target, signal);
      if (copied.sha256 !== sha256) {
        throw new UpdateError(
          'DEPLOYMENT_FAILED',
          `release ${version} is damaged: the content kept as ${sha256} hashes to ${copied.sha256}`,
        );
      }
      return { sha256, size, mode: 0o644 };
    } finally {
      await source.close();
    }
  };
}

async function openObject(path: string, version: string): Promise<FileHandle> {
  try {
    return await openForReading(path);
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) {
      throw new UpdateError(
        'DEPLOYMENT_FAILED',
        `release ${version} is damaged: the content ${path} is missing`,
      );
    }
    throw error;
  }
}
