import { assign } from 'xstate';
import type { WayBack } from './actor-ports.js';
import { ageAt, newAge, type Instant } from './clock.js';
import { amended, errorLine, failureIn, noted } from './failure.js';
import { attemptsAfter } from './guards.js';
import { orderedContext, startedOver, transferred } from './new-order.js';
import { identityOf } from './package-order.js';
import { withReport, withoutReport } from './report-outbox.js';
import { firstWords } from './first-words.js';
import { STAGES, type TopState } from './stage.js';
import { interruption, takenUp, UNREADABLE_JOURNAL } from './take-up.js';
import {
  INITIAL_CONTEXT,
  type PackageFacts,
  type Transferred,
  type UpdateContext,
} from './update-context.js';
import type { UpdateEvent } from './update-events.js';
import { wentBack } from './went-back.js';

/** Waits between the requests of a download that bring nothing, in ms; the last one repeats. */
const BACK_OFF_MS = [1000, 2000, 4000] as const;

/** The longest wait that a server's Retry-After is granted, in ms. */
const MAX_RETRY_AFTER_MS = 60_000;

const CLEAN_UP_FAILED = 'clean-up failed:';

interface Now {
  context: UpdateContext;
  event: UpdateEvent;
}
type Change = Partial<UpdateContext>;

/** The wait before the next request: what the server asked for, else longer each time nothing came. */
function delayAfter(empty: number, retryAfterMs: number | null): number {
  const step = BACK_OFF_MS[Math.min(Math.max(empty, 1), BACK_OFF_MS.length) - 1] ?? 0;
  return Math.max(step, Math.min(retryAfterMs ?? 0, MAX_RETRY_AFTER_MS));
}

function told(context: UpdateContext, state: TopState): Change {
  const { percent, message } = firstWords(state, context);
  const error = state === 'failed' && context.failure !== null ? errorLine(context.failure) : null;
  return {
    outbox: withReport(context.outbox, { stage: STAGES[state], progress: percent, message, error }),
  };
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
    event.type === 'DOWNLOAD' ? orderedContext(event.order, context) : {},
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

  noteTransfer: change<Transferred>(({ context }, result) => transferred(context, result)),
  countAttempt: change(({ context, event }) => {
    const failure = failureIn(event);
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
  /** An attempt that met no network is not counted; bytes that it brought first are, and begin a new loss. */
  countBytes: change(({ context: { attempts }, event }) => {
    const { bytesArrived } = failureIn(event);
    const gotOn = bytesArrived > 0 ? { empty: 0, networkLostAt: null } : {};
    return { attempts: { ...attempts, ...gotOn, bytes: attempts.bytes + bytesArrived } };
  }),
  noteNetworkLoss: change<{ since: Instant }>(({ context }, { since }) => ({
    attempts: { ...context.attempts, networkLostAt: since },
  })),
  startOver: change(({ context }) => startedOver(context)),
  noteFailedDownload: change(({ event }) => {
    const { code, message, progress, discard } = failureIn(event);
    return {
      ...noted(code, message, progress),
      kept: discard || code === 'DISK_FULL' ? 'nothing' : 'partial',
    };
  }),
  noteStuckDownload: change(() =>
    noted('DOWNLOAD_FAILED', 'the updater was restarted again and again while downloading, and no byte came'),
  ),

  notePackage: change<PackageFacts & { at: Instant }>((_, { at, ...facts }) => ({
    facts,
    trust: newAge(at),
  })),
  countTrust: change<{ at: Instant }>(({ context }, { at }) =>
    context.trust === null ? {} : { trust: ageAt(context.trust, at) },
  ),
  noteExpiry: change(({ context }) => ({
    ...noted(
      'PACKAGE_EXPIRED',
      `${context.order?.version ?? 'the package'} was verified more than 24 h ago`,
      100,
    ),
    kept: 'nothing',
    trust: null,
  })),
  noteMissingPackage: change(({ context }) => ({
    ...noted(
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
  noteUnclearGuard: change(({ event }) => ({
    refusal: { code: 'DEVICE_BUSY', message: failureIn(event).message },
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
            identity: identityOf(order),
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
  noteCommittedBefore: change(({ context, event }) =>
    event.type === 'RESTORED'
      ? {
          doneFor: newAge(event.at),
          kept: 'nothing',
          trust: null,
          failure: null,
          notices: [...new Set([...context.notices, ...event.notices])],
        }
      : {},
  ),

  noteFailure: change(({ event }) => {
    const { code, message, progress, discard } = failureIn(event);
    return { ...noted(code, message, progress), ...(discard ? { kept: 'nothing', trust: null } : {}) };
  }),
  noteStuck: change(({ event }) =>
    noted(
      'INTERNAL_ERROR',
      `the updater was restarted ${event.type === 'RESTORED' ? event.restores : '?'} times in a row at the same step`,
    ),
  ),
  noteBadVersion: change(({ context: { deployment } }) =>
    deployment === null ? {} : { deployment: { ...deployment, provenBad: true } },
  ),
  noteHangingVersion: change(() =>
    noted(
      'HEALTH_CHECK_FAILED',
      'the device was restarted again and again before the new version had settled',
    ),
  ),
  noteWayBack: change<WayBack>(({ context }, wayBack) => wentBack(context, wayBack)),
  noteFailedWayBack: change(({ context, event }) =>
    amended(context, ({ message }) => ({
      message: `${message}; going back failed (${errorLine(failureIn(event))})`,
    })),
  ),
  noteNoWayBack: change(({ context, event }) =>
    amended(context, (first) => ({
      code: 'ROLLBACK_FAILED',
      message: `${errorLine(first)}; no version runs (${errorLine(failureIn(event))})`,
    })),
  ),
  /** Told once, however often the clean-up fails. */
  noteTidyFailure: change(({ context, event }) => ({
    notices: [
      ...context.notices.filter((notice) => !notice.startsWith(CLEAN_UP_FAILED)),
      `${CLEAN_UP_FAILED} ${errorLine(failureIn(event))}`,
    ],
  })),

  noteUnreadableJournal: change(() => ({ failure: UNREADABLE_JOURNAL })),
  takeUpJournal: change(({ context, event }) =>
    event.type === 'RESTORED' && event.journal !== null && event.journal !== 'unreadable'
      ? takenUp(context, event.journal)
      : {},
  ),
  takeUpInterruption: change(({ context }) => ({ failure: context.failure ?? interruption(null) })),
  noteRolledBackBefore: change(({ context }) => {
    const version = context.deployment?.from?.version;
    return amended(context, ({ message }) => ({
      message: `${message}; rolled back${version === undefined ? '' : ` to ${version}`}`,
    }));
  }),
};
