import type { ReleaseName } from './package-order.js';

/**
 * What readers of the updater are shown beside the machine's own state: plain data that services make and HTTP sends,
 * neither knowing the other.
 */

/** A field of the context that a step has changed; values are JSON, null where there was or is none. */
export interface ContextChange {
  field: string;
  before: string | null;
  after: string | null;
}

/** What the machine did with an event, as its inspection saw it at that moment. */
export interface StepSeen {
  event: string;
  /** Id of the transition in pictures of the machine; null for a start. */
  edge: string | null;
  /** What the event told, and the guards judged by; null where it tells nothing. */
  about: string | null;
  /** The guards that were asked first and said no, with what they ask. */
  refused: readonly { guard: string; question: string }[];
  changes: readonly ContextChange[];
}

/** One transition of the machine, for people. */
export interface Transition extends StepSeen {
  id: number;
  /** ISO 8601. */
  time: string;
  from: string;
  to: string;
  /** How long the machine was in `from`, ms. */
  afterMs: number;
}

/** One thing that a stream of events tells. */
export type StreamItem =
  | { id: number; type: 'transition'; data: Transition }
  | { id: number; type: 'progress'; data: { stage: string; progress: number; message: string } };

export interface ReleaseRow {
  id: string | null;
  version: string;
  /** ISO 8601; null for a version that was never committed. */
  installedAt: string | null;
  bytes: number | null;
  bad: { since: string; why: string } | null;
}

export interface Versions {
  current: ReleaseName | null;
  previous: ReleaseName | null;
  factory: ReleaseName | null;
  releases: ReleaseRow[];
}

/** One line of the history: the story of one order. */
export type HistoryRow = Readonly<Record<string, unknown>>;

export interface Health {
  ok: boolean;
  /** Each thing that was looked at: `ok`, or what is wrong. */
  checks: Record<string, string>;
}
