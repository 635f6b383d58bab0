import { Ajv, type AnySchema, type ErrorObject, type ValidateFunction } from 'ajv';
import { UpdateError } from '../../machines/errors.js';
import type { JsonSchema } from '../route.js';
import { shownValue } from './shown-value.js';

const VERSION = {
  type: 'string',
  maxLength: 32,
  pattern: '^(0|[1-9]\\d*)\\.(0|[1-9]\\d*)\\.(0|[1-9]\\d*)$',
  description: 'three numbers a.b.c without leading zeros, 32 bytes at most',
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

export interface DownloadBody {
  version: string;
  package_url: string;
  package_name: string;
  package_size: number;
  package_md5: string;
  package_sha256?: string;
}

/** Reads an order's body. Throws VALIDATION_ERROR that names every bad field with its value and what was expected. */
export type BodyReader<Body> = (body: unknown) => Body;

const ajv = new Ajv({ allErrors: true })
  .addFormat('http-url', isWebAddress)
  .addFormat('file-name', isPathComponent);

export const readDownloadBody = readerOf<DownloadBody>(DOWNLOAD_BODY);
export const readUpdateBody = readerOf<{ version: string }>(UPDATE_BODY);
export const readCancelBody = readerOf<object>(CANCEL_BODY);
export const readRollbackBody = readerOf<{ to: 'previous' | 'factory' }>(ROLLBACK_BODY);

interface BodySchema {
  properties: Readonly<Record<string, { description: string }>>;
}

function readerOf<Body>(schema: BodySchema & AnySchema & JsonSchema): BodyReader<Body> {
  const isValid: ValidateFunction<Body> = ajv.compile<Body>(schema);
  return (body) => {
    if (isValid(body)) return body;
    throw new UpdateError('VALIDATION_ERROR', faultsOf(schema, body, isValid.errors ?? []));
  };
}

/** One clause for each bad field, in the schema's order, however many rules the field breaks. */
function faultsOf({ properties }: BodySchema, body: unknown, errors: ErrorObject[]): string {
  const bad = new Set(errors.map(fieldOf));
  if (bad.has('')) return `the body must be a JSON object, not ${shownValue(body)}`;
  const values = new Map(
    typeof body === 'object' && body !== null ? Object.entries<unknown>({ ...body }) : [],
  );
  return Object.entries(properties)
    .filter(([field]) => bad.has(field))
    .map(([field, { description }]) =>
      values.has(field)
        ? `${field} must be ${description}${shownAs(field, values.get(field))}`
        : `${field} is missing; it must be ${description}`,
    )
    .join('; ');
}

function shownAs(field: string, value: unknown): string {
  return field === 'package_url' ? '' : `, not ${shownValue(value)}`;
}

function fieldOf({ keyword, instancePath, params }: ErrorObject): string {
  if (keyword === 'required') return String(params['missingProperty']);
  return instancePath.split('/')[1] ?? '';
}

function isWebAddress(text: string): boolean {
  return URL.canParse(text) && ['http:', 'https:'].includes(new URL(text).protocol);
}

function isPathComponent(name: string): boolean {
  const bytes = Buffer.byteLength(name);
  return bytes >= 1 && bytes <= 255 && !/[/\0]/.test(name) && name !== '.' && name !== '..';
}
