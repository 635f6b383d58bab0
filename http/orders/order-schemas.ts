import { LONGEST_VERSION, VERSION_PATTERN } from '../../machines/version.js';

const VERSION = {
  type: 'string',
  maxLength: LONGEST_VERSION,
  pattern: VERSION_PATTERN,
  description: `three numbers a.b.c without leading zeros, ${LONGEST_VERSION} bytes at most`,
} as const;

const DOWNLOAD_PROPERTIES = {
  version: VERSION,
  package_url: { type: 'string', format: 'http-url', description: 'an http or https URL' },
  package_name: {
    type: 'string',
    format: 'file-name',
    description: 'one path component of 1 to 255 bytes without / and NUL, not . or ..',
  },
  package_size: {
    type: 'integer',
    minimum: 1,
    maximum: Number.MAX_SAFE_INTEGER,
    description: `an integer from 1 to ${Number.MAX_SAFE_INTEGER} (bytes)`,
  },
  package_md5: { type: 'string', pattern: '^[\\da-fA-F]{32}$', description: '32 hex digits' },
  package_sha256: { type: 'string', pattern: '^[\\da-fA-F]{64}$', description: '64 hex digits, or absent' },
} as const;

/** The body of POST /download, as ajv checks it and OpenAPI shows it. Unknown fields are ignored. */
export const DOWNLOAD_BODY = {
  type: 'object',
  required: ['version', 'package_url', 'package_name', 'package_size', 'package_md5'],
  properties: DOWNLOAD_PROPERTIES,
} as const;

/** The body of POST /update. */
export const UPDATE_BODY = {
  type: 'object',
  required: ['version'],
  properties: { version: VERSION },
} as const;

/** The body of POST /cancel. */
export const CANCEL_BODY = { type: 'object', required: [], properties: {} } as const;

/** The body of POST /rollback. */
export const ROLLBACK_BODY = {
  type: 'object',
  required: ['to'],
  properties: {
    to: { type: 'string', enum: ['previous', 'factory'], description: '"previous" or "factory"' },
  },
} as const;
