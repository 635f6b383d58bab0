import { errorLine } from '../machines/failure.js';
import type { UpdateContext } from '../machines/update-context.js';

/** The story of one order that has come to its end, as a row of the history. */
export function storyOf(
  outcome: 'success' | 'failed',
  { order, deployment, failure, attempts, facts, notices }: UpdateContext,
  { endedAt, startedAt }: { endedAt: Date; startedAt: Date | null },
): Readonly<Record<string, unknown>> {
  return {
    time: endedAt.toISOString(),
    startedAt: startedAt?.toISOString() ?? null,
    ms: startedAt === null ? null : endedAt.getTime() - startedAt.getTime(),
    order: deployment?.purpose ?? 'download',
    from: deployment?.from?.version ?? null,
    to: deployment?.to.version ?? order?.version ?? null,
    package: order === null ? null : { name: order.name, md5: order.md5, size: order.size },
    signedBy: facts?.signedBy ?? null,
    bytesFetched: attempts.bytes,
    requests: attempts.total,
    outcome,
    error: failure === null ? null : errorLine(failure),
    notices,
  };
}
