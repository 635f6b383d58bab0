import { Ajv } from 'ajv';
import type { ReleaseName } from '../../machines/package-order.js';
import type { HealthCheck } from '../package/manifest.js';

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
export const AS_FOUND_VERSION = '0.0.0';

const ID = /^(?:as-found|\d{6}-\d+\.\d+\.\d+)$/;

/** Whether a text has the form of a release's id, so that it may be part of a path. */
export function isReleaseId(text: string): boolean {
  return ID.test(text);
}

/** The id of the next release of a version: ids count up, so that none is ever used for two committed releases. */
export function nextReleaseId(taken: readonly string[], version: string): string {
  const highest = taken.reduce((most, id) => Math.max(most, Number(/^\d{6}/.exec(id)?.[0] ?? 0)), 0);
  return `${String(highest + 1).padStart(6, '0')}-${version}`;
}

const text = { type: 'string' } as const;
const fileRecord = {
  type: 'object',
  nullable: true,
  required: ['sha256', 'size', 'mode', 'uid', 'gid', 'xattrs'],
  properties: {
    sha256: { type: 'string', pattern: '^[0-9a-f]{64}$' },
    size: { type: 'integer', minimum: 0 },
    mode: { type: 'integer', minimum: 0, maximum: 0o7777 },
    uid: { type: 'integer' },
    gid: { type: 'integer' },
    xattrs: { type: 'object', additionalProperties: text },
  },
} as const;

/** Whether a parsed JSON value is a release list. */
export const isRelease = new Ajv({ allowUnionTypes: true }).compile<Release>({
  type: 'object',
  required: ['schema', 'id', 'version', 'package', 'installedAt', 'files', 'folders', 'units'],
  properties: {
    schema: { const: 1 },
    id: { type: 'string', pattern: ID.source },
    version: text,
    package: { type: ['object', 'null'] },
    installedAt: text,
    files: { type: 'object', propertyNames: { pattern: '^/' }, additionalProperties: fileRecord },
    folders: { type: 'array', items: text },
    units: {
      type: 'array',
      items: {
        type: 'object',
        required: ['unit', 'order', 'paths', 'health'],
        properties: {
          unit: text,
          order: { type: ['integer', 'null'] },
          paths: { type: 'array', items: text },
          health: { type: 'array' },
        },
      },
    },
  },
});

/** Whether two files have the same content, mode and owner, so that nothing has to be done. */
export function isSameFile(a: FileRecord, b: FileRecord): boolean {
  return a.sha256 === b.sha256 && a.mode === b.mode && a.uid === b.uid && a.gid === b.gid;
}
