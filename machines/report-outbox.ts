import { STAGES, type Stage } from './stage.js';

/** What device-api is told; exactly these four fields travel. */
export interface ReportBody {
  stage: Stage;
  /** Integer percent. */
  progress: number;
  message: string;
  error: string | null;
}

/** A report that device-api has not acknowledged yet; part of the saved context, so that it outlives a restart. */
export interface Report extends ReportBody {
  id: number;
}

/** At most so many reports wait. */
export const MAX_WAITING_REPORTS = 16;

export interface ReportOutbox {
  nextId: number;
  waiting: Report[];
  /** The stage that was last put in, so that a restart does not tell the same stage twice. */
  lastStage: Stage | null;
}

export const EMPTY_OUTBOX: ReportOutbox = { nextId: 1, waiting: [], lastStage: null };

/**
 * The outbox with one more report; where there are too many the oldest goes, but never the newest final one (`success`
 * or `failed`): it is how an order ended. The same stage twice in a row is told once.
 */
export function withReport(outbox: ReportOutbox, body: ReportBody): ReportOutbox {
  if (outbox.lastStage === body.stage) return outbox;
  const waiting = [...outbox.waiting, { id: outbox.nextId, ...body }];
  const newestFinal = waiting.findLast(isFinal);
  while (waiting.length > MAX_WAITING_REPORTS) waiting.splice(waiting[0] === newestFinal ? 1 : 0, 1);
  return { nextId: outbox.nextId + 1, waiting, lastStage: body.stage };
}

function isFinal({ stage }: ReportBody): boolean {
  return stage === STAGES.done || stage === STAGES.failed;
}

/** The outbox without the report that device-api has acknowledged. */
export function withoutReport(outbox: ReportOutbox, id: number): ReportOutbox {
  return { ...outbox, waiting: outbox.waiting.filter((report) => report.id !== id) };
}
