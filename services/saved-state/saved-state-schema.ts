/** The envelope that tmp/state.json is. */
export const SAVED_STATE_SCHEMA = {
  type: 'object',
  required: ['schema', 'savedAt', 'checksum', 'restores', 'snapshot'],
  properties: {
    schema: { type: 'integer', minimum: 1 },
    savedAt: { type: 'string' },
    checksum: { type: 'string', pattern: '^[0-9a-f]{64}$' },
    restores: {
      type: 'object',
      required: ['state', 'count', 'bytes'],
      properties: {
        state: { type: 'string' },
        count: { type: 'integer', minimum: 0 },
        bytes: { type: 'integer', minimum: 0 },
      },
    },
    snapshot: { type: 'object' },
  },
} as const;

/** The machine's persisted snapshot in it, as far as every machine's is alike. */
export const PERSISTED_SNAPSHOT_SCHEMA = {
  type: 'object',
  required: ['status', 'value', 'context', 'children'],
  properties: {
    status: { const: 'active' },
    context: { type: 'object' },
    children: {
      type: 'object',
      additionalProperties: {
        type: 'object',
        required: ['src', 'snapshot'],
        properties: {
          src: { type: 'string' },
          snapshot: {
            type: 'object',
            required: ['status'],
            properties: { status: { enum: ['active', 'done', 'error'] } },
          },
        },
      },
    },
  },
} as const;
