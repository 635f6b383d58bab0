import { ERRORS } from '../../machines/errors.js';
import { RELEASE_ID } from '../deployment/release-schema.js';

const text = { type: 'string' } as const;
const count = { type: 'number', minimum: 0 } as const;
const flag = { type: 'boolean' } as const;
const version = { type: 'string', pattern: '^\\d{1,9}\\.\\d{1,9}\\.\\d{1,9}$' } as const;
const md5 = { type: 'string', pattern: '^[0-9a-f]{32}$' } as const;
const sizeInBytes = { type: 'integer', minimum: 1 } as const;
const errorCode = { enum: Object.keys(ERRORS) };
const releaseId = { type: 'string', pattern: RELEASE_ID.source } as const;

function shape(properties: Readonly<Record<string, unknown>>, nullable = false) {
  const object = { type: 'object', required: Object.keys(properties), properties };
  return nullable ? { anyOf: [{ type: 'null' }, object] } : object;
}
function orNull(schema: Readonly<Record<string, unknown>>) {
  return { anyOf: [{ type: 'null' }, schema] };
}

const instant = { bootId: text, uptimeMs: count, wallMs: { type: 'number' }, wallIsPlausible: flag };
const age = shape({ countedMs: count, asOf: shape(instant) }, true);
const identity = { version, md5, size: sizeInBytes };
const sha256 = orNull({ type: 'string', pattern: '^[0-9a-f]{64}$' });
const kept = { enum: ['nothing', 'partial', 'package'] };
const failure = { code: errorCode, message: text, progress: count };
const deployment = {
  purpose: { enum: ['update', 'rollback'] },
  to: shape({ id: orNull(releaseId), version }),
  from: shape({ id: releaseId, version }, true),
  identity: shape(identity, true),
  provenBad: flag,
};

/** A context of the machine: what becomes part of a path has its form checked too. */
export const CONTEXT_SCHEMA = shape({
  order: shape({ ...identity, url: text, name: text, sha256 }, true),
  attempts: shape({
    empty: count,
    total: count,
    bytes: count,
    networkLostAt: shape(instant, true),
    nextDelayMs: count,
    resumed: flag,
    startedOver: flag,
  }),
  facts: shape(
    {
      modules: count,
      inflatedBytes: count,
      signedBy: orNull(text),
      warnings: { type: 'array', items: text },
    },
    true,
  ),
  trust: age,
  deployment: shape(deployment, true),
  failure: shape(failure, true),
  refusal: shape({ code: errorCode, message: text }, true),
  doneFor: age,
  kept,
  notices: { type: 'array', items: text },
  outbox: shape({
    nextId: { type: 'integer', minimum: 1 },
    waiting: {
      type: 'array',
      items: shape({
        id: { type: 'integer' },
        stage: text,
        progress: count,
        message: text,
        error: orNull(text),
      }),
    },
    lastStage: orNull(text),
  }),
});

/** The saved input of an actor. */
export const ACTOR_INPUT_SCHEMA = {
  type: ['object', 'null'],
  properties: {
    identity: shape(identity, true),
    sha256,
    delayMs: count,
    since: shape(instant, true),
    trust: age,
    deployment: shape(deployment),
    cause: shape(failure),
    doneFor: age,
    kept,
    bad: shape({ version, why: text }, true),
  },
};
