import type { ErrorObject, ValidateFunction } from 'ajv';
import { UpdateError } from '../../machines/errors.js';
import { cancelBody, downloadBody, rollbackBody, updateBody } from '../compiled-checks.js';
import { CANCEL_BODY, DOWNLOAD_BODY, ROLLBACK_BODY, UPDATE_BODY } from './order-schemas.js';
import { shownValue } from './shown-value.js';

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

export const readDownloadBody = readerOf<DownloadBody>(DOWNLOAD_BODY, downloadBody);
export const readUpdateBody = readerOf<{ version: string }>(UPDATE_BODY, updateBody);
export const readCancelBody = readerOf<object>(CANCEL_BODY, cancelBody);
export const readRollbackBody = readerOf<{ to: 'previous' | 'factory' }>(ROLLBACK_BODY, rollbackBody);

interface BodySchema {
  properties: Readonly<Record<string, { description: string }>>;
}

function readerOf<Body>(schema: BodySchema, check: ValidateFunction): BodyReader<Body> {
  const isValid = (body: unknown): body is Body => check(body);
  return (body) => {
    if (isValid(body)) return body;
    throw new UpdateError('VALIDATION_ERROR', faultsOf(schema, body, check.errors ?? []));
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
