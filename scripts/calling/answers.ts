import { NoUpdater, type Client } from './client.js';
import { history, status, versions } from './compiled-checks.js';

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
  /** Ms of each stage. */
  stageMs?: unknown;
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
  throw new NoUpdater(`what answers at ${client.urlOf(path)} is no updater: ${shown}`);
}

function isStatus(value: unknown): value is Status {
  return status(value);
}

function isVersions(value: unknown): value is VersionsAnswer {
  return versions(value);
}

function isHistory(value: unknown): value is { history: StoryAnswer[] } {
  return history(value);
}
