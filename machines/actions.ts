import { assign } from 'xstate';
import { ageAt, newAge, type Instant } from './clock.js';
import { toUpdateError, type ErrorCode } from './errors.js';
import { attemptsAfter } from './guards.js';
import { withReport, withoutReport } from './report-outbox.js';
import { FIRST_WORDS, STAGES, type TopState } from './stage.js';
import { INITIAL_CONTEXT, NO_ATTEMPTS } from './update-context.js';
import type { ActorFailure, Failure, PackageFacts, UpdateContext } from './update-context.js';
import type { UpdateEvent } from './update-events.js';

/** Waits between the requests of a download that bring nothing, in ms; the last one repeats. */
export const BACK_OFF_MS = [1000, 2000, 4000] as const;

interface Now {
  context: UpdateContext;
  event: UpdateEvent;
}
type Change = Partial<UpdateContext>;

/** An actor's rejection as plain data for guards, actions and the saved context. */
export function failureOf(thrown: unknown): ActorFailure {
  const { code, message, facts } = toUpdateError(thrown);
  return {
    code,
    message,
    progress: facts.progress ?? 0,
    retry: facts.retry ?? 'final',
    bytesArrived: facts.bytesArrived ?? 0,
    retryAfterMs: facts.retryAfterMs ?? null,
    discard: facts.discard ?? false,
  };
}

/** `CODE: what happened`, as it stands on the wire. */
export function errorLine({ code, message }: { code: ErrorCode; message: string }): string {
  return `${code}: ${message}`;
}

function failed({ code, message, progress }: ActorFailure): { failure: Failure } {
  return { failure: { code, message, progress } };
}

function note(code: ErrorCode, message: string, progress = 0): { failure: Failure } {
  return { failure: { code, message, progress } };
}

/** The wait before the next request: what the server asked for, else longer each time nothing came. */
function delayAfter(empty: number, retryAfterMs: number | null): number {
  const step = BACK_OFF_MS[Math.min(Math.max(empty, 1), BACK_OFF_MS.length) - 1] ?? 0;
  return Math.max(step, retryAfterMs ?? 0);
}

function amended(context: UpdateContext, change: (failure: Failure) => Partial<Failure>): Change {
  const { failure } = context;
  return failure === null ? {} : { failure: { ...failure, ...change(failure) } };
}

function told(context: UpdateContext, state: TopState): Change {
  const { failure } = context;
  const words = FIRST_WORDS[state];
  const body =
    state === 'failed' && failure !== null
      ? { progress: failure.progress, message: words.message, error: errorLine(failure) }
      : { progress: words.percent, message: words.message, error: null };
  return { outbox: withReport(context.outbox, { stage: STAGES[state], ...body }) };
}

const change = <Params = undefined>(compute: (now: Now, params: Params) => Change) =>
  assign<UpdateContext, UpdateEvent, Params, UpdateEvent, never>(compute);

/** Everything the machine writes down; nothing here touches the world. */
export const ACTIONS = {
  /** The stage change becomes a report that is kept until device-api acknowledges it. */
  tell: change<{ state: TopState }>(({ context }, { state }) => told(context, state)),
  dropReport: change(({ context, event }) =>
    event.type === 'REPORT_DELIVERED' ? { outbox: withoutReport(context.outbox, event.id) } : {},
  ),

  takeOrder: change(({ context, event }) =>
    event.type === 'DOWNLOAD'
      ? { ...INITIAL_CONTEXT, outbox: context.outbox, order: event.order, kept: 'partial' }
      : {},
  ),
  takeFreshUrl: change(({ context, event }) =>
    event.type === 'DOWNLOAD' && context.order !== null
      ? { order: { ...context.order, url: event.order.url, name: event.order.name } }
      : {},
  ),
  cancelDownload: change(({ context }) => ({ kept: 'partial', ...told(context, 'idle') })),
  cancelVerified: change(({ context }) => ({ kept: 'package', ...told(context, 'idle') })),
  dropPackage: change(({ context }) => ({ ...INITIAL_CONTEXT, ...told(context, 'idle') })),
  forgetUpdate: change(({ context }) => ({ ...INITIAL_CONTEXT, outbox: context.outbox })),
  forgetPackage: change(() => ({ kept: 'nothing', trust: null, facts: null })),

  noteTransfer: change<{ resumed: boolean }>(({ context }, { resumed }) => ({
    kept: 'package',
    attempts: {
      ...context.attempts,
      networkLostAt: null,
      resumed: resumed || context.attempts.resumed,
    },
  })),
  countAttempt: change<ActorFailure>(({ context }, failure) => {
    const counted = attemptsAfter(context, failure);
    return {
      attempts: {
        ...context.attempts,
        ...counted,
        networkLostAt: null,
        nextDelayMs: delayAfter(counted.empty, failure.retryAfterMs),
      },
    };
  }),
  countBytes: change<ActorFailure>(({ context }, { bytesArrived }) => ({
    attempts: { ...context.attempts, bytes: context.attempts.bytes + bytesArrived },
  })),
  noteNetworkLoss: change<{ since: Instant }>(({ context }, { since }) => ({
    attempts: { ...context.attempts, networkLostAt: since },
  })),
  startOver: change(({ context }) => ({
    kept: 'nothing',
    attempts: { ...NO_ATTEMPTS, bytes: context.attempts.bytes, startedOver: true },
  })),
  noteFailedDownload: change<ActorFailure>((_, failure) => ({
    ...failed(failure),
    kept: failure.discard ? 'nothing' : 'partial',
  })),
  noteStuckDownload: change(() =>
    note('DOWNLOAD_FAILED', 'the updater was restarted again and again while downloading, and no byte came'),
  ),

  notePackage: change<PackageFacts & { at: Instant }>((_, { at, ...facts }) => ({
    facts,
    trust: newAge(at),
  })),
  countTrust: change<{ at: Instant }>(({ context }, { at }) =>
    context.trust === null ? {} : { trust: ageAt(context.trust, at) },
  ),
  noteExpiry: change(({ context }) => ({
    ...note(
      'PACKAGE_EXPIRED',
      `${context.order?.version ?? 'the package'} was verified more than 24 h ago`,
      100,
    ),
    kept: 'nothing',
    trust: null,
  })),
  noteMissingPackage: change(({ context }) => ({
    ...note(
      'PACKAGE_NOT_FOUND',
      `the package of ${context.order?.version ?? '?'} is gone from the work folder`,
      100,
    ),
    kept: 'nothing',
    trust: null,
  })),

  forgetRefusal: change(() => ({ refusal: null })),
  noteBusy: change<{ busy: string | null }>((_, { busy }) => ({
    refusal: { code: 'DEVICE_BUSY', message: busy ?? 'the device is busy' },
  })),
  noteUnclearGuard: change<ActorFailure>((_, { message }) => ({
    refusal: { code: 'DEVICE_BUSY', message },
  })),

  takeUpdate: change(({ context: { order } }) =>
    order === null
      ? {}
      : {
          notices: [],
          deployment: {
            purpose: 'update',
            to: { id: null, version: order.version },
            from: null,
            identity: { version: order.version, md5: order.md5, size: order.size },
            provenBad: false,
          },
        },
  ),
  takeRollback: change(({ context, event }) =>
    event.type === 'ROLLBACK'
      ? {
          ...INITIAL_CONTEXT,
          outbox: context.outbox,
          deployment: {
            purpose: 'rollback',
            to: event.to,
            from: event.from,
            identity: null,
            provenBad: false,
          },
        }
      : {},
  ),
  noteStaged: change<{ releaseId: string; notices: string[] }>(({ context }, { releaseId, notices }) =>
    context.deployment === null
      ? {}
      : {
          notices,
          deployment: { ...context.deployment, to: { ...context.deployment.to, id: releaseId } },
        },
  ),
  noteCommit: change<{ at: Instant; notices: string[] }>(({ context }, { at, notices }) => ({
    doneFor: newAge(at),
    kept: 'nothing',
    trust: null,
    notices: [...context.notices, ...notices],
  })),
  noteCommittedBefore: change(({ event }) =>
    event.type === 'RESTORED' ? { doneFor: newAge(event.at), kept: 'nothing', trust: null } : {},
  ),

  noteFailure: change<ActorFailure>((_, failure) => ({
    ...failed(failure),
    kept: failure.discard ? 'nothing' : 'package',
    ...(failure.discard ? { trust: null } : {}),
  })),
  noteBadVersion: change(({ context }) =>
    context.deployment === null ? {} : { deployment: { ...context.deployment, provenBad: true } },
  ),
  noteHangingVersion: change(() =>
    note(
      'HEALTH_CHECK_FAILED',
      'the device was restarted again and again before the new version had settled',
    ),
  ),
  noteWayBack: change<{ outcome: string }>(({ context }, { outcome }) =>
    amended(context, ({ message }) => ({ message: `${message}; ${outcome}` })),
  ),
  noteFailedWayBack: change<ActorFailure>(({ context }, way) =>
    amended(context, ({ message }) => ({ message: `${message}; going back failed (${errorLine(way)})` })),
  ),
  noteNoWayBack: change<ActorFailure>(({ context }, way) =>
    amended(context, (first) => ({
      code: 'ROLLBACK_FAILED',
      message: `${errorLine(first)}; no version runs (${errorLine(way)})`,
    })),
  ),
  noteTidyFailure: change<ActorFailure>(({ context }, failure) => ({
    notices: [...context.notices, `clean-up failed: ${errorLine(failure)}`],
  })),

  /** After a cut the journal tells what was going on, where the saved state does not know it or is lost. */
  takeUpJournal: change(({ context, event }) => {
    if (event.type !== 'RESTORED') return {};
    const { journal } = event;
    const cause = journal?.cause ?? null;
    const interrupted = `interrupted while ${journal?.phase ?? 'restarting'} (power cut or kill)`;
    return {
      deployment: context.deployment ?? (journal === null ? null : deploymentIn(journal)),
      failure:
        journal?.phase === 'switched'
          ? context.failure
          : (context.failure ?? {
              code: cause?.code ?? 'DEPLOYMENT_FAILED',
              message: cause?.message ?? interrupted,
              progress: 0,
            }),
    };
  }),
};

function deploymentIn(journal: NonNullable<Extract<UpdateEvent, { type: 'RESTORED' }>['journal']>) {
  return {
    purpose: journal.purpose === 'update' ? ('update' as const) : ('rollback' as const),
    to: journal.to,
    from: journal.from,
    identity: null,
    provenBad: false,
  };
}
