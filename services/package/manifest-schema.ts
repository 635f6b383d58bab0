import { LONGEST_VERSION } from '../../machines/version.js';

/** A version of the form a.b.c. The package format admits leading zeros, which no order can name. */
const VERSION = { type: 'string', pattern: '^\\d+\\.\\d+\\.\\d+$', maxLength: LONGEST_VERSION } as const;
const TEXT_LIST = { type: ['array', 'null'], items: { type: 'string', minLength: 1 } } as const;

const HEALTH = {
  type: ['object', 'null'],
  properties: {
    http: { type: 'string', minLength: 1 },
    exec: { type: 'array', minItems: 1, items: { type: 'string' } },
    timeout_s: { type: 'number', exclusiveMinimum: 0, maximum: 300 },
  },
} as const;

const MODULE = {
  type: 'object',
  required: ['name', 'src', 'dst'],
  properties: {
    name: { type: 'string', minLength: 1, maxLength: 255 },
    src: { type: 'string', minLength: 1 },
    dst: { type: 'string', minLength: 1 },
    process_name: { type: ['string', 'null'], maxLength: 255 },
    restart_order: { type: ['integer', 'null'] },
    post_cmds: TEXT_LIST,
    sha256: { type: ['string', 'null'], pattern: '^[0-9a-fA-F]{64}$' },
    mode: { type: ['string', 'null'], pattern: '^0?[0-7]{3,4}$' },
    remove: TEXT_LIST,
    health: HEALTH,
  },
} as const;

/**
 * The shape of manifest.json (package format). Fields that are not named here are ignored: packages may be newer or
 * older than the updater. Whatever is optional may also be null, as the older packager writes it.
 */
export const MANIFEST_SCHEMA = {
  type: 'object',
  required: ['version', 'modules'],
  properties: {
    version: VERSION,
    modules: { type: 'array', minItems: 1, items: MODULE },
    min_version: { ...VERSION, type: ['string', 'null'] },
    allow_downgrade: { type: ['boolean', 'null'] },
    compatible: { type: ['array', 'null'], minItems: 1, items: { type: 'string', minLength: 1 } },
  },
} as const;

/** What the schema admits. */
export interface ManifestJson {
  version: string;
  modules: ModuleJson[];
  min_version?: string | null;
  allow_downgrade?: boolean | null;
  compatible?: string[] | null;
}

export interface ModuleJson {
  name: string;
  src: string;
  dst: string;
  process_name?: string | null;
  restart_order?: number | null;
  post_cmds?: string[] | null;
  sha256?: string | null;
  mode?: string | null;
  remove?: string[] | null;
  health?: HealthJson | null;
}

export interface HealthJson {
  http?: string;
  exec?: string[];
  timeout_s?: number;
}
