import { STAGES } from '../machines/stage.js';

/** The forms of the answers' `data`, for OpenAPI. */

const STAGE = { type: 'string', enum: Object.values(STAGES) } as const;
const NULLABLE_STRING = { type: ['string', 'null'] } as const;

function objectOf(properties: Readonly<Record<string, object>>) {
  return { type: 'object', required: Object.keys(properties), properties };
}

export const STATUS = {
  data: objectOf({ status: { ...STAGE, description: 'The stage that the order led to' } }),
};

export const ROLLBACK_STATUS = { data: objectOf({ status: STAGE, version: { type: 'string' } }) };

export const PROGRESS = {
  data: objectOf({
    stage: STAGE,
    progress: { type: 'integer', minimum: 0, maximum: 100 },
    message: { type: 'string' },
    error: NULLABLE_STRING,
  }),
};

export const STATE = {
  data: objectOf({
    value: { description: 'XState’s state value: a string, or nested objects' },
    statePath: { type: 'string' },
    stage: STAGE,
    since: NULLABLE_STRING,
    accepts: { type: 'array', items: { type: 'string' } },
    attempts: { type: 'object' },
    context: { type: 'object' },
    transitions: {
      type: 'array',
      items: objectOf({
        id: { type: 'integer' },
        time: { type: 'string' },
        event: { type: 'string' },
        from: { type: 'string' },
        to: { type: 'string' },
        afterMs: { type: 'number' },
        edge: NULLABLE_STRING,
        about: NULLABLE_STRING,
        refused: {
          type: 'array',
          items: objectOf({ guard: { type: 'string' }, question: { type: 'string' } }),
        },
        changes: {
          type: 'array',
          items: objectOf({ field: { type: 'string' }, before: NULLABLE_STRING, after: NULLABLE_STRING }),
        },
      }),
    },
  }),
};

export const VERSIONS = {
  data: objectOf({
    current: NULLABLE_STRING,
    previous: NULLABLE_STRING,
    factory: NULLABLE_STRING,
    releases: {
      type: 'array',
      items: objectOf({
        id: NULLABLE_STRING,
        version: { type: 'string' },
        installedAt: NULLABLE_STRING,
        bytes: { type: ['integer', 'null'] },
        bad: { type: ['object', 'null'] },
      }),
    },
  }),
};

const STORY = {
  type: 'object',
  description: 'One order, oldest first; what an older updater has written may lack fields',
  properties: {
    id: { type: 'integer' },
    time: { type: 'string', description: 'When it ended, or was last told of' },
    startedAt: NULLABLE_STRING,
    ms: { type: ['integer', 'null'] },
    stageMs: {
      type: 'object',
      description: 'How long it was in each stage, the time that the device was off included',
      additionalProperties: { type: 'number', minimum: 0 },
    },
    stageNow: {
      type: ['object', 'null'],
      description: 'The stage that it is in, since when is not in `stageMs` yet; null when it has ended',
      required: ['stage', 'since'],
      properties: { stage: STAGE, since: { type: 'object' } },
    },
    order: { type: 'string', enum: ['download', 'update', 'rollback'] },
    from: NULLABLE_STRING,
    to: NULLABLE_STRING,
    package: { type: ['object', 'null'] },
    orders: {
      type: 'array',
      items: objectOf({ time: { type: 'string' }, order: { type: 'string' }, by: { type: 'string' } }),
    },
    restarts: { type: 'integer' },
    signedBy: NULLABLE_STRING,
    bytesFetched: { type: 'integer' },
    requests: { type: 'integer' },
    outcome: {
      enum: ['success', 'failed', 'cancelled', 'replaced', 'unknown', null],
      description: 'null while it is under way',
    },
    error: NULLABLE_STRING,
    notices: { type: 'array', items: { type: 'string' } },
  },
} as const;

export const HISTORY = { data: objectOf({ history: { type: 'array', items: STORY } }) };

export const HEALTH = { data: objectOf({ ok: { type: 'boolean' }, checks: { type: 'object' } }) };

export const SIGN_OF_LIFE = {
  document: objectOf({ status: { const: 'ok' }, service: { type: 'string' }, stage: STAGE }),
};

export const OPENAPI = { document: { type: 'object' } };
