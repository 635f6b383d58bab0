import { Ajv } from 'ajv';
import { NoUpdater, type Client } from './client.js';

/** `data` of /progress, as the wire contract has it. */
export interface Status {
  stage: string;
  progress: number;
  message: string;
  error: string | null;
}

/** `data` of /versions. */
export interface VersionsAnswer {
  current: string | null;
  previous: string | null;
  factory: string | null;
  releases: {
    id: string | null;
    version: string;
    installedAt: string | null;
    bytes: number | null;
    bad: { since: string; why: string } | null;
  }[];
}

/** A row of /history; one that an older updater has written may lack anything. */
export interface StoryAnswer {
  time?: string;
  startedAt?: string | null;
  ms?: number | null;
  order?: string;
  from?: string | null;
  to?: string | null;
  orders?: { order: string; by: string }[];
  restarts?: number;
  bytesFetched?: number;
  requests?: number;
  outcome?: string | null;
  error?: string | null;
  notices?: string[];
}

const TEXT = { type: 'string' } as const;
const COUNT = { type: 'number' } as const;
const TEXT_OR_NULL = { type: ['string', 'null'] } as const;
const COUNT_OR_NULL = { type: ['number', 'null'] } as const;

function shapeOf(properties: Readonly<Record<string, object>>) {
  return { type: 'object', required: Object.keys(properties), properties };
}

const ajv = new Ajv({ allowUnionTypes: true });
const isStatus = ajv.compile<Status>(
  shapeOf({ stage: TEXT, progress: COUNT, message: TEXT, error: TEXT_OR_NULL }),
);
const isVersions = ajv.compile<VersionsAnswer>(
  shapeOf({
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
  }),
);
const isHistory = ajv.compile<{ history: StoryAnswer[] }>(
  shapeOf({
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
  }),
);

/** What the updater is doing. Throws NoAnswer or NoUpdater. */
export async function askStatus(client: Client): Promise<Status> {
  const { data } = await client.get('/progress');
  return isStatus(data) ? data : unknownAnswer(client, '/progress', data);
}

/** What is installed, and what it can go back to. Throws NoAnswer or NoUpdater. */
export async function askVersions(client: Client): Promise<VersionsAnswer> {
  const { data, msg } = await client.get('/versions');
  return isVersions(data) ? data : unknownAnswer(client, '/versions', data ?? msg);
}

/** The story of each order, oldest first. Throws NoAnswer or NoUpdater. */
export async function askHistory(client: Client): Promise<StoryAnswer[]> {
  const { data, msg } = await client.get('/history');
  return isHistory(data) ? data.history : unknownAnswer(client, '/history', data ?? msg);
}

function unknownAnswer(client: Client, path: string, data: unknown): never {
  const shown = JSON.stringify(data ?? null).slice(0, 200);
  throw new NoUpdater(`what answers at ${client.base}/api/v1.0${path} is no updater: ${shown}`);
}
