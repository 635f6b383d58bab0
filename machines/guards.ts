import { ageAt, type Instant } from './clock.js';
import { failureIn } from './failure.js';
import { isSamePackage } from './package-order.js';
import type { ActorFailure, UpdateContext } from './update-context.js';
import type { JournalFacts, JournalPhase, UpdateEvent } from './update-events.js';
import { isWellFormed } from './well-formed.js';

/** Requests in a row that may bring no byte: one try and three retries. */
const MAX_EMPTY_ATTEMPTS = 4;
/** Bytes that a download may fetch in all, as a multiple of the package. */
export const MAX_FETCHED_FACTOR = 2;
/** Requests that one order may make in all, however many bytes they bring. */
const MAX_ATTEMPTS = 2000;
/** Restores of a download in a row that bring no byte. */
const MAX_DOWNLOAD_RESTORES = 3;
/** Restores in `restarting` after which the new version is taken for one that hangs the device. */
const MAX_RESTARTING_RESTORES = 2;
/** Restores in a row of any other step that has changed nothing yet, after which it is given up. */
const MAX_RESTORES = 10;
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

/** What RESTORED tells; null for every other event. */
function restoredIn({ event }: Now) {
  return event.type === 'RESTORED' && isWellFormed(event) ? event : null;
}

function journalIn(now: Now): JournalFacts | null {
  const journal = restoredIn(now)?.journal ?? null;
  return journal === 'unreadable' ? null : journal;
}

function isJournalIn(now: Now, ...phases: JournalPhase[]): boolean {
  const journal = journalIn(now);
  return journal !== null && phases.includes(journal.phase);
}

/** The last resort is the live release by now; what a full disk kept from being recorded is recorded by a start. */
function isLastResortRecorded(now: Now): boolean {
  const journal = journalIn(now);
  return (
    journal?.purpose === 'factory' &&
    journal.phase === 'switched' &&
    journal.to.id === restoredIn(now)?.current
  );
}

/** How often in a row the state was restored. */
function restoresIn(now: Now): number {
  return restoredIn(now)?.restores ?? 0;
}

function hasRunOut({ trust }: UpdateContext, at: Instant): boolean {
  return trust !== null && ageAt(trust, at).countedMs >= TRUST_MS;
}

function mayFetchMore({ order }: UpdateContext, bytes: number): boolean {
  return bytes < MAX_FETCHED_FACTOR * (order?.size ?? 0);
}

/** The questions that the machine asks; each looks at context and event alone. */
export const GUARDS = {
  isWellFormed: ({ event }: Now) => isWellFormed(event),
  isSamePackage: ({ context, event }: Now) =>
    event.type === 'DOWNLOAD' && isWellFormed(event) && isSamePackage(context.order, event.order),
  isVersionReady: ({ context, event }: Now) =>
    event.type === 'UPDATE' && isWellFormed(event) && event.version === context.order?.version,
  isVersionReadyButExpired: (now: Now) =>
    GUARDS.isVersionReady(now) && now.event.type === 'UPDATE' && hasRunOut(now.context, now.event.at),
  hasTrustRunOutAt: ({ context }: Now, { at }: { at: Instant }) => hasRunOut(context, at),
  isDeviceFree: (_: Now, { busy }: { busy: string | null }) => busy === null,

  isNetworkAway: ({ context, event }: Now) => {
    const failure = failureIn(event);
    return failure.retry === 'network' && mayFetchMore(context, attemptsAfter(context, failure).bytes);
  },
  mayAskAgain: ({ context, event }: Now) => {
    const failure = failureIn(event);
    if (failure.retry !== 'retry') return false;
    const { empty, total, bytes } = attemptsAfter(context, failure);
    return empty < MAX_EMPTY_ATTEMPTS && total < MAX_ATTEMPTS && mayFetchMore(context, bytes);
  },
  /** A wrong digest may be a splice of two files; a package that is gone can be fetched again. Once. */
  mayStartOver: ({ context: { attempts }, event }: Now) => {
    const { code } = failureIn(event);
    const isWorthIt = (code === 'MD5_MISMATCH' && attempts.resumed) || code === 'INCOMPLETE_DOWNLOAD';
    return isWorthIt && !attempts.startedOver;
  },

  isThereNoJournal: (now: Now) => restoredIn(now)?.journal === null,
  isJournalUnreadable: (now: Now) => restoredIn(now)?.journal === 'unreadable',
  /**
   * An order is taken only after the end of the deployment before it was saved: where nothing of the new order's own has
   * begun, a journal that is over is that one's, told already and not tidied away yet.
   */
  isEarlierJournalOver: (now: Now) =>
    GUARDS.isThereNoJournal(now) ||
    (GUARDS.isOrdinaryJournal(now) && isJournalIn(now, 'undone')) ||
    isLastResortRecorded(now),
  isDownloadStuck: (now: Now) => GUARDS.isEarlierJournalOver(now) && restoresIn(now) > MAX_DOWNLOAD_RESTORES,
  isVerifyingStuck: (now: Now) => GUARDS.isEarlierJournalOver(now) && restoresIn(now) > MAX_RESTORES,
  isStuck: (now: Now) => GUARDS.isThereNoJournal(now) && restoresIn(now) > MAX_RESTORES,
  isPackageGone: (now: Now) => GUARDS.isEarlierJournalOver(now) && restoredIn(now)?.packageOnDisk === false,
  hasTrustRunOut: (now: Now) => {
    const at = restoredIn(now)?.at;
    return GUARDS.isEarlierJournalOver(now) && at !== undefined && hasRunOut(now.context, at);
  },
  isCommitted: (now: Now) => {
    const current = restoredIn(now)?.current ?? null;
    return GUARDS.isThereNoJournal(now) && current !== null && current === now.context.deployment?.to.id;
  },
  isLastResortGoingOn: (now: Now) => journalIn(now)?.purpose === 'factory',
  isLastResortAbsent: (now: Now) => GUARDS.isThereNoJournal(now) || GUARDS.isOrdinaryJournal(now),
  isOrdinaryJournal: (now: Now) => journalIn(now) !== null && !GUARDS.isLastResortGoingOn(now),
  isUndoUnfinished: (now: Now) => GUARDS.isOrdinaryJournal(now) && !isJournalIn(now, 'undone'),
  mayStopAgain: (now: Now) =>
    GUARDS.isOrdinaryJournal(now) && isJournalIn(now, 'stopping') && restoresIn(now) <= MAX_RESTORES,
  isJournalStopping: (now: Now) => isJournalIn(now, 'stopping'),
  isJournalSwitching: (now: Now) => isJournalIn(now, 'switching'),
  isJournalSwitched: (now: Now) => isJournalIn(now, 'switched'),
  isJournalUndoing: (now: Now) => isJournalIn(now, 'undoing'),
  isJournalUndone: (now: Now) => isJournalIn(now, 'undone'),
  isJournalGoingBack: (now: Now) => GUARDS.isOrdinaryJournal(now) && isJournalIn(now, 'undoing', 'undone'),
  /** Its end was told already where the failure that is saved says that a version runs. */
  isLastResortOver: (now: Now) =>
    isLastResortRecorded(now) &&
    now.context.failure !== null &&
    now.context.failure.code !== 'ROLLBACK_FAILED',
  isNothingLeftToUndo: (now: Now) =>
    GUARDS.isThereNoJournal(now) ||
    (GUARDS.isOrdinaryJournal(now) && isJournalIn(now, 'undone')) ||
    GUARDS.isLastResortOver(now),
  isNewVersionHanging: (now: Now) =>
    isJournalIn(now, 'switched') && restoresIn(now) > MAX_RESTARTING_RESTORES,
};
