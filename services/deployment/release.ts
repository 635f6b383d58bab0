import type { ReleaseName } from '../../machines/package-order.js';
import { release } from '../compiled-checks.js';
import type { HealthCheck } from '../package/manifest.js';
import { RELEASE_ID } from './release-schema.js';

/** What a regular file is, wholly: its content by digest, and everything that a way back has to restore. */
export interface FileRecord {
  /** Lower-case hex. */
  sha256: string;
  /** Bytes. */
  size: number;
  /** Permission bits with set-id and sticky bits (st_mode & 07777). */
  mode: number;
  uid: number;
  gid: number;
  /** Extended attributes, ACLs among them: name → value in hex. */
  xattrs: Readonly<Record<string, string>>;
}

/** A unit that a release needs stopped and started when one of its paths changes. */
export interface ReleaseUnit {
  unit: string;
  /** Lower starts earlier; null starts last. */
  order: number | null;
  /** Real paths of its modules; one that ends in `/` stands for everything below. */
  paths: string[];
  health: HealthCheck[];
}

/**
 * A release is a list, not a tree: every path that any update of ours has touched, with what is there while the release
 * is live. null: nothing is there.
 */
export interface Release extends ReleaseName {
  schema: 1;
  package: { name: string; md5: string; size: number } | null;
  /** ISO 8601. */
  installedAt: string;
  files: Readonly<Record<string, FileRecord | null>>;
  /** Folders that updates have made, and that a way back removes where they are left empty. */
  folders: string[];
  units: ReleaseUnit[];
}

/** The id of the release that the first update finds on the device. */
export const AS_FOUND = 'as-found';
/** The version that it is told as. */
export { AS_FOUND_VERSION } from '../../machines/version.js';

/** Whether a text has the form of a release's id, so that it may be part of a path. */
export function isReleaseId(text: string): boolean {
  return RELEASE_ID.test(text);
}

/** The id of the next release of a version: ids count up, so that none is ever used for two committed releases. */
export function nextReleaseId(taken: readonly string[], version: string): string {
  const highest = taken.reduce((most, id) => Math.max(most, Number(/^\d{6}/.exec(id)?.[0] ?? 0)), 0);
  return `${String(highest + 1).padStart(6, '0')}-${version}`;
}

/** Whether a parsed JSON value is a release list. */
export function isRelease(value: unknown): value is Release {
  return release(value);
}

/** Whether two files have the same content, mode and owner, so that nothing has to be done. */
export function isSameFile(a: FileRecord, b: FileRecord): boolean {
  return a.sha256 === b.sha256 && a.mode === b.mode && a.uid === b.uid && a.gid === b.gid;
}

/** The record alone, without what only the switch needs. */
export function plain({ sha256, size, mode, uid, gid, xattrs }: FileRecord): FileRecord {
  return { sha256, size, mode, uid, gid, xattrs };
}
