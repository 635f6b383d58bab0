import { ageAt, type Instant } from './clock.js';
import { isSamePackage } from './package-order.js';
import type { ActorFailure, UpdateContext } from './update-context.js';
import type { JournalPhase, UpdateEvent } from './update-events.js';

/** Requests in a row that may bring no byte: one try and three retries. */
export const MAX_EMPTY_ATTEMPTS = 4;
/** Bytes that a download may fetch in all, as a multiple of the package. */
export const MAX_FETCHED_FACTOR = 2;
/** Requests that one order may make in all, however many bytes they bring. */
export const MAX_ATTEMPTS = 2000;
/** Restores of a download in a row that bring no byte. */
export const MAX_DOWNLOAD_RESTORES = 3;
/** Restores in `restarting` after which the new version is taken for one that hangs the device. */
export const MAX_RESTARTING_RESTORES = 2;
/** How long a verified package may be installed, in ms. */
export const TRUST_MS = 24 * 60 * 60 * 1000;
/** How long `done` is shown before it becomes idle, so that a slow poller still sees it, in ms. */
export const DONE_MS = 65_000;

interface Now {
  context: UpdateContext;
  event: UpdateEvent;
}

/** The attempts as they stand when one more request has failed. */
export function attemptsAfter(context: UpdateContext, failure: ActorFailure) {
  const { attempts } = context;
  return {
    empty: failure.bytesArrived > 0 ? 0 : attempts.empty + 1,
    total: attempts.total + 1,
    bytes: attempts.bytes + failure.bytesArrived,
  };
}

function journalIn({ event }: Now, phase: JournalPhase): boolean {
  return event.type === 'RESTORED' && event.journal?.phase === phase;
}

/** The questions that the machine asks; each looks at context and event alone. */
export const GUARDS = {
  isSamePackage: ({ context, event }: Now) =>
    event.type === 'DOWNLOAD' && isSamePackage(context.order, event.order),
  isVersionReady: ({ context, event }: Now) =>
    event.type === 'UPDATE' && event.version === context.order?.version,
  isVersionReadyButExpired: (now: Now) => GUARDS.isVersionReady(now) && GUARDS.hasTrustRunOut(now),
  hasTrustRunOut: ({ context, event }: Now) =>
    (event.type === 'UPDATE' || event.type === 'RESTORED') && hasRunOut(context, event.at),
  hasTrustRunOutAt: ({ context }: Now, { at }: { at: Instant }) => hasRunOut(context, at),
  isDeviceFree: (_: Now, { busy }: { busy: string | null }) => busy === null,

  isNetworkAway: (_: Now, failure: ActorFailure) => failure.retry === 'network',
  mayAskAgain: ({ context }: Now, failure: ActorFailure) => {
    if (failure.retry !== 'retry') return false;
    const after = attemptsAfter(context, failure);
    return (
      after.empty < MAX_EMPTY_ATTEMPTS &&
      after.total < MAX_ATTEMPTS &&
      after.bytes < MAX_FETCHED_FACTOR * (context.order?.size ?? 0)
    );
  },
  /** A wrong digest may be a splice of two files; a package that is gone can be fetched again. Once. */
  mayStartOver: ({ context }: Now, failure: ActorFailure) =>
    !context.attempts.startedOver &&
    ((failure.code === 'MD5_MISMATCH' && context.attempts.resumed) || failure.code === 'INCOMPLETE_DOWNLOAD'),

  isPackageGone: ({ event }: Now) => event.type === 'RESTORED' && !event.packageOnDisk,
  isDownloadStuck: ({ event }: Now) => event.type === 'RESTORED' && event.restores > MAX_DOWNLOAD_RESTORES,
  isThereNoJournal: ({ event }: Now) => event.type === 'RESTORED' && event.journal === null,
  isCommitted: ({ context, event }: Now) =>
    event.type === 'RESTORED' &&
    event.journal === null &&
    event.current !== null &&
    event.current === context.deployment?.to.id,
  isLastResortGoingOn: ({ event }: Now) => event.type === 'RESTORED' && event.journal?.purpose === 'factory',
  isLastResortAbsent: (now: Now) => !GUARDS.isLastResortGoingOn(now),
  isJournalStopping: (now: Now) => journalIn(now, 'stopping'),
  isJournalSwitching: (now: Now) => journalIn(now, 'switching'),
  isJournalSwitched: (now: Now) => journalIn(now, 'switched'),
  isJournalUndoing: (now: Now) => journalIn(now, 'undoing'),
  isJournalUndone: (now: Now) => journalIn(now, 'undone'),
  isNewVersionHanging: (now: Now) =>
    journalIn(now, 'switched') &&
    now.event.type === 'RESTORED' &&
    now.event.restores > MAX_RESTARTING_RESTORES,
};

function hasRunOut(context: UpdateContext, at: Instant): boolean {
  return context.trust !== null && ageAt(context.trust, at).countedMs >= TRUST_MS;
}
