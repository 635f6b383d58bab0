import type { UpdateEvent } from './update-events.js';

type Shape = Readonly<Record<string, 'string' | 'number' | 'boolean'>>;

const INSTANT: Shape = { bootId: 'string', uptimeMs: 'number', wallMs: 'number', wallIsPlausible: 'boolean' };
const ORDER: Shape = { version: 'string', md5: 'string', size: 'number', url: 'string', name: 'string' };
const RELEASE: Shape = { id: 'string', version: 'string' };
const CAUSE: Shape = { code: 'string', message: 'string' };
const JOURNAL: Shape = { phase: 'string', purpose: 'string' };
const RESTORED: Shape = { restores: 'number', packageOnDisk: 'boolean' };

/** What each event must hold beside its type. */
const RULES: Readonly<Record<string, (event: Fields) => boolean>> = {
  DOWNLOAD: ({ order }) => isA(ORDER, order) && isNullOr(isText, order['sha256']),
  UPDATE: ({ version, at }) => isText(version) && isA(INSTANT, at),
  ROLLBACK: ({ to, from }) => isA(RELEASE, to) && isNullOr(isRelease, from),
  RESTORED: (event) =>
    isA(RESTORED, event) &&
    isA(INSTANT, event['at']) &&
    isNullOr(isText, event['current']) &&
    (event['journal'] === 'unreadable' || isNullOr(isJournal, event['journal'])),
};

/**
 * Whether an event holds what its type promises. A guard or an action that throws would end the machine for good
 * (and its saved state with it), so an event that is not well formed is taken nowhere.
 */
export function isWellFormed(event: UpdateEvent): boolean {
  const rule = Object.hasOwn(RULES, event.type) ? RULES[event.type] : undefined;
  return rule === undefined || rule({ ...event });
}

type Fields = Readonly<Record<string, unknown>>;

function isA(shape: Shape, value: unknown): value is Fields {
  if (typeof value !== 'object' || value === null) return false;
  const fields: Fields = { ...value };
  return Object.entries(shape).every(
    ([key, type]) => typeof fields[key] === type && (type !== 'number' || Number.isFinite(fields[key])),
  );
}

function isNullOr(holds: (value: unknown) => boolean, value: unknown): boolean {
  return value === null || holds(value);
}

function isText(value: unknown): boolean {
  return typeof value === 'string';
}

function isRelease(value: unknown): boolean {
  return isA(RELEASE, value);
}

function isJournal(value: unknown): boolean {
  return (
    isA(JOURNAL, value) &&
    isRelease(value['to']) &&
    isNullOr(isRelease, value['from']) &&
    isNullOr((cause) => isA(CAUSE, cause), value['cause'])
  );
}
