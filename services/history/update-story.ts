import { errorLine } from '../../machines/failure.js';
import type { UpdateContext } from '../../machines/update-context.js';
import type { HistoryRow } from '../../machines/views.js';
import { story } from '../compiled-checks.js';
import { noTimes, readTimes, type StageTimes } from './stage-times.js';

/**
 * How an order ended: `replaced` by one for another package, `unknown` where a restart found the machine idle and no
 * word of the order's end.
 */
export type Outcome = 'success' | 'failed' | 'cancelled' | 'replaced' | 'unknown';

/** The story of one order, as a row of the history. It is written when it begins, at each change of stage, and at its end. */
export interface Story extends StageTimes {
  /** Rows of one id are one story; the newest of them counts. */
  id: number;
  /** When the row was written, ISO 8601. */
  time: string;
  /** Null where the updater found the order under way and no word of its beginning. */
  startedAt: string | null;
  /** From the beginning to `time`, by the device's clock. */
  ms: number | null;
  order: 'download' | 'update' | 'rollback';
  from: string | null;
  to: string | null;
  package: { name: string; md5: string; size: number } | null;
  /** The orders that moved it, and which program gave each: what it calls itself. */
  orders: { time: string; order: string; by: string }[];
  /** How often the updater was started anew in the middle of it. */
  restarts: number;
  /** Key id of the package's signature. */
  signedBy: string | null;
  bytesFetched: number;
  requests: number;
  /** Null while it is under way. */
  outcome: Outcome | null;
  error: string | null;
  notices: string[];
}

/** A story that begins now, of an order that was given at `startedAt`. */
export function beginStory(id: number, context: UpdateContext, startedAt: Date | null): Story {
  return {
    id,
    time: new Date().toISOString(),
    startedAt: startedAt?.toISOString() ?? null,
    ms: null,
    orders: [],
    restarts: 0,
    from: null,
    outcome: null,
    ...noTimes(),
    ...toldBy(context),
  };
}

/** Brings a story up to what the machine knows of its order now. */
export function tellOn(story: Story, context: UpdateContext): void {
  const from = context.deployment?.from?.version ?? story.from;
  Object.assign(story, toldBy(context), { from }, timeOf(story, new Date()));
}

/** Ends a story. */
export function endStory(story: Story, outcome: Outcome, at: Date): void {
  Object.assign(story, { outcome }, timeOf(story, at));
}

function timeOf({ startedAt }: Story, at: Date) {
  const ms = startedAt === null ? null : at.getTime() - Date.parse(startedAt);
  return { time: at.toISOString(), ms } satisfies Partial<Story>;
}

/** Whether the machine's context is about the order of a story. */
export function isAbout(story: Story, { order, deployment }: UpdateContext): boolean {
  if (order !== null) return order.md5 === story.package?.md5 && order.version === story.to;
  return deployment !== null && story.package === null && deployment.to.version === story.to;
}

/** The story in a row of the history; null where the row is none that could be gone on with. */
export function storyIn(row: HistoryRow): Story | null {
  const copy: unknown = { ...row };
  return isStory(copy) ? { ...copy, ...readTimes(row) } : null;
}

function toldBy({ order, deployment, failure, attempts, facts, notices }: UpdateContext) {
  return {
    order: deployment?.purpose ?? 'download',
    to: deployment?.to.version ?? order?.version ?? null,
    package: order === null ? null : { name: order.name, md5: order.md5, size: order.size },
    signedBy: facts?.signedBy ?? null,
    bytesFetched: attempts.bytes,
    requests: attempts.total,
    error: failure === null ? null : errorLine(failure),
    notices: [...notices],
  } satisfies Partial<Story>;
}

function isStory(value: unknown): value is Story {
  return story(value);
}
