import { elapsedMs, type Instant } from '../../machines/clock.js';
import { STAGES, type Stage, type TopState } from '../../machines/stage.js';
import type { HistoryRow } from '../../machines/views.js';

/** How long an order was in each stage, by the names of the wire contract; a stage entered again counts on. */
export interface StageTimes {
  /** Whole ms of each stage, up to the newest change of stage or start of the updater. */
  stageMs: Partial<Record<Stage, number>>;
  /** The stage that it is in; null when it has ended. */
  stageNow: { stage: Stage; since: Instant } | null;
}

/** The times of an order of which nothing is known yet. */
export function noTimes(): StageTimes {
  return { stageMs: {}, stageNow: null };
}

/** The times of an order that enters a stage, or is found in it after a restart; null: it has ended. */
export function timesIn(state: TopState | null, { stageMs, stageNow }: StageTimes, at: Instant): StageTimes {
  const next = state === null ? null : { stage: STAGES[state], since: at };
  if (stageNow === null) return { stageMs, stageNow: next };
  const { stage, since } = stageNow;
  const ms = (stageMs[stage] ?? 0) + elapsedMs(since, at);
  return { stageMs: { ...stageMs, [stage]: ms }, stageNow: next };
}

/** The times in a row of the history; what is missing in it, or is none, was never told. */
export function readTimes(row: HistoryRow): StageTimes {
  const told = fieldsOf(row['stageMs']);
  const stageMs: StageTimes['stageMs'] = {};
  for (const stage of Object.values(STAGES)) {
    const ms = told.get(stage);
    if (typeof ms === 'number') stageMs[stage] = ms;
  }
  const now = fieldsOf(row['stageNow']);
  const stage = Object.values(STAGES).find((one) => one === now.get('stage'));
  const since = instantIn(fieldsOf(now.get('since')));
  return { stageMs, stageNow: stage === undefined || since === null ? null : { stage, since } };
}

function instantIn(fields: ReadonlyMap<string, unknown>): Instant | null {
  const bootId = fields.get('bootId');
  const [uptimeMs, wallMs] = [fields.get('uptimeMs'), fields.get('wallMs')];
  if (typeof bootId !== 'string' || typeof uptimeMs !== 'number' || typeof wallMs !== 'number') return null;
  return { bootId, uptimeMs, wallMs, wallIsPlausible: fields.get('wallIsPlausible') === true };
}

function fieldsOf(value: unknown): ReadonlyMap<string, unknown> {
  return new Map(typeof value === 'object' && value !== null ? Object.entries<unknown>({ ...value }) : []);
}
