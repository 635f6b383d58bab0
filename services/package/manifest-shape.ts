import type { ErrorObject, ValidateFunction } from 'ajv';
import { longManifest, manifest } from '../compiled-checks.js';
import type { ManifestJson } from './manifest-schema.js';
import { quote } from './package-errors.js';
import { Problems } from './problems.js';

/** Up to this many characters all errors are told; past it only the first, so that a hostile list costs no memory. */
const ALL_ERRORS_UP_TO = 64 * 1024;

/**
 * The JSON value as a manifest of the right shape. `length` is that of its text. Throws INVALID_MANIFEST naming each
 * wrong field, its value and what was expected.
 */
export function checkShape(value: unknown, length: number): ManifestJson {
  const check = length <= ALL_ERRORS_UP_TO ? manifest : longManifest;
  if (isManifest(check, value)) return value;
  const problems = new Problems();
  for (const error of check.errors ?? []) problems.add(fieldOf(error), problemOf(error));
  problems.throwIfAny();
  throw new Error('a manifest of the wrong shape, yet no error');
}

function isManifest(check: ValidateFunction, value: unknown): value is ManifestJson {
  return check(value);
}

/** `/modules/2/dst` → `modules[2].dst`. */
function fieldOf({ instancePath, keyword, params }: ErrorObject): string {
  const missing: unknown = keyword === 'required' ? params['missingProperty'] : null;
  const path = instancePath + (typeof missing === 'string' ? `/${missing}` : '');
  const field = path
    .replace(/\/(\d+)/g, '[$1]')
    .replaceAll('/', '.')
    .replace(/^\./, '');
  return field === '' ? 'the manifest' : field;
}

function problemOf({ keyword, message, data }: ErrorObject): string {
  if (keyword === 'required') return 'is missing';
  return `is ${quote(data)}: it ${message ?? 'is wrong'}`;
}
