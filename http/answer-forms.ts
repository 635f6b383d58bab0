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
    progress: { type: 'integer', minimum: 0, maximum: 100, description: 'Percent of the stage' },
    message: { type: 'string', description: 'For people' },
    error: { ...NULLABLE_STRING, description: '`CODE: what happened`, in the stage failed' },
  }),
};

export const STATE = {
  data: objectOf({
    value: { description: 'XState’s state value: a string, or nested objects' },
    statePath: { type: 'string', description: 'The same as one path, outermost first' },
    stage: STAGE,
    since: { ...NULLABLE_STRING, description: 'ISO 8601; null where it is older than this process' },
    accepts: { type: 'array', items: { type: 'string' }, description: 'Orders that it would take now' },
    attempts: { type: 'object', description: 'Requests of the download so far, and its bytes' },
    context: { type: 'object', description: 'What the machine knows, without the query of the URL' },
    transitions: {
      type: 'array',
      description: 'The last 200, oldest first',
      items: objectOf({
        id: { type: 'integer' },
        time: { type: 'string' },
        event: { type: 'string' },
        from: { type: 'string' },
        to: { type: 'string' },
        afterMs: { type: 'number', description: 'How long it was in `from`, ms' },
        edge: { ...NULLABLE_STRING, description: 'Its name in the picture; null for a start' },
        about: { ...NULLABLE_STRING, description: 'What the event told; null where it tells nothing' },
        refused: {
          type: 'array',
          description: 'Guards that were asked first and said no',
          items: objectOf({ guard: { type: 'string' }, question: { type: 'string' } }),
        },
        changes: {
          type: 'array',
          description: 'What it changed in the context; values are JSON',
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
        installedAt: { ...NULLABLE_STRING, description: 'ISO 8601; null where it never was committed' },
        bytes: { type: ['integer', 'null'] },
        bad: { type: ['object', 'null'], description: '`since` and `why`, where it did not run' },
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
    startedAt: { ...NULLABLE_STRING, description: 'Null where its beginning is not known' },
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
    restarts: { type: 'integer', description: 'Starts of the updater in its middle' },
    signedBy: { ...NULLABLE_STRING, description: 'Key id of the package’s signature' },
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

export const HEALTH = {
  data: objectOf({
    ok: { type: 'boolean' },
    checks: { type: 'object', description: '`ok`, or what is wrong' },
  }),
};

export const SIGN_OF_LIFE = {
  document: objectOf({ status: { const: 'ok' }, service: { type: 'string' }, stage: STAGE }),
};

export const OPENAPI = { document: { type: 'object' } };
