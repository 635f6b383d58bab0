const TEXT = { type: 'string' } as const;
const TEXT_OR_NULL = { type: ['string', 'null'] } as const;

function shapeOf(properties: Readonly<Record<string, object>>) {
  return { type: 'object', required: Object.keys(properties), properties };
}

/** What of a row of the history is needed to go on with its story. */
export const STORY_SCHEMA = shapeOf({
  id: { type: 'integer', minimum: 1 },
  time: TEXT,
  startedAt: TEXT_OR_NULL,
  order: { enum: ['download', 'update', 'rollback'] },
  from: TEXT_OR_NULL,
  to: TEXT_OR_NULL,
  package: { anyOf: [{ type: 'null' }, shapeOf({ md5: TEXT })] },
  orders: { type: 'array', items: shapeOf({ time: TEXT, order: TEXT, by: TEXT }) },
  restarts: { type: 'integer', minimum: 0 },
  outcome: TEXT_OR_NULL,
  notices: { type: 'array', items: TEXT },
});
