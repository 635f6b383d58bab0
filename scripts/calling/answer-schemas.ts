const TEXT = { type: 'string' } as const;
const COUNT = { type: 'number' } as const;
const TEXT_OR_NULL = { type: ['string', 'null'] } as const;
const COUNT_OR_NULL = { type: ['number', 'null'] } as const;

function shapeOf(properties: Readonly<Record<string, object>>) {
  return { type: 'object', required: Object.keys(properties), properties };
}

/** `data` of /progress. */
export const STATUS_SCHEMA = shapeOf({ stage: TEXT, progress: COUNT, message: TEXT, error: TEXT_OR_NULL });

/** `data` of /versions. */
export const VERSIONS_SCHEMA = shapeOf({
  current: TEXT_OR_NULL,
  previous: TEXT_OR_NULL,
  factory: TEXT_OR_NULL,
  releases: {
    type: 'array',
    items: shapeOf({
      id: TEXT_OR_NULL,
      version: TEXT,
      installedAt: TEXT_OR_NULL,
      bytes: COUNT_OR_NULL,
      bad: { anyOf: [{ type: 'null' }, shapeOf({ since: TEXT, why: TEXT })] },
    }),
  },
});

/** `data` of /history: a row that an older updater has written may lack anything. */
export const HISTORY_SCHEMA = shapeOf({
  history: {
    type: 'array',
    items: {
      type: 'object',
      properties: {
        ...{ time: TEXT, startedAt: TEXT_OR_NULL, ms: COUNT_OR_NULL, order: TEXT },
        ...{ from: TEXT_OR_NULL, to: TEXT_OR_NULL, bytesFetched: COUNT, requests: COUNT },
        ...{ restarts: COUNT, outcome: TEXT_OR_NULL, error: TEXT_OR_NULL },
        orders: { type: 'array', items: shapeOf({ order: TEXT, by: TEXT }) },
        notices: { type: 'array', items: TEXT },
      },
    },
  },
});

/** The data of a transition in the stream of events. */
export const TRANSITION_SCHEMA = shapeOf({ from: TEXT, to: TEXT, event: TEXT });

/** The data of progress in the stream of events. */
export const PROGRESS_SCHEMA = shapeOf({ stage: TEXT, progress: { type: 'integer' }, message: TEXT });
