/** The form of a release's id: it may be part of a path. */
export const RELEASE_ID = /^(?:as-found|\d{6}-\d+\.\d+\.\d+)$/;

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

/** A release list, as the store keeps it. */
export const RELEASE_SCHEMA = {
  type: 'object',
  required: ['schema', 'id', 'version', 'package', 'installedAt', 'files', 'folders', 'units'],
  properties: {
    schema: { const: 1 },
    id: { type: 'string', pattern: RELEASE_ID.source },
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
} as const;

/** What staging writes down; the updater alone reads it again. */
export const STAGED_RELEASE_SCHEMA = {
  type: 'object',
  required: ['purpose', 'live', 'wanted', 'operations', 'found', 'newFolders', 'oldFolders', 'postCommands'],
} as const;

/** By release id: paths. */
export const ADDED_PATHS_SCHEMA = {
  type: 'object',
  additionalProperties: { type: 'array', items: { type: 'string' } },
} as const;
