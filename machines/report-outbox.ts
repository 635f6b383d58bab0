import type { Stage } from './stage.js';

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

/** At most so many reports wait; the newest is always kept. */
export const MAX_WAITING_REPORTS = 16;

export interface ReportOutbox {
  nextId: number;
  waiting: Report[];
  /** The stage that was last put in, so that a restart does not tell the same stage twice. */
  lastStage: Stage | null;
}

export const EMPTY_OUTBOX: ReportOutbox = { nextId: 1, waiting: [], lastStage: null };

/** The outbox with one more report; the oldest goes where there are too many. The same stage twice in a row is told once. */
export function withReport(outbox: ReportOutbox, body: ReportBody): ReportOutbox {
  if (outbox.lastStage === body.stage) return outbox;
  const waiting = [...outbox.waiting, { id: outbox.nextId, ...body }].slice(-MAX_WAITING_REPORTS);
  return { nextId: outbox.nextId + 1, waiting, lastStage: body.stage };
}

/** The outbox without the report that device-api has acknowledged. */
export function withoutReport(outbox: ReportOutbox, id: number): ReportOutbox {
  return { ...outbox, waiting: outbox.waiting.filter((report) => report.id !== id) };
}
