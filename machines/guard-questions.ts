import type { GUARDS } from './guards.js';

/** What each guard asks, for people who see that it said no. */
export const GUARD_QUESTIONS: Readonly<Record<keyof typeof GUARDS, string>> = {
  isWellFormed: 'does the order hold all that it must?',
  isSamePackage: 'is it the package that is being worked on?',
  isVersionReady: 'is it the version that is ready?',
  isVersionReadyButExpired: 'was the version verified more than 24 h ago?',
  hasTrustRunOutAt: 'was the package verified more than 24 h ago?',
  isDeviceFree: 'is the device free, and not printing?',
  isNetworkAway: 'is there no network at all?',
  mayAskAgain: 'is another request worth it, and allowed?',
  mayStartOver: 'may it be fetched once more from the start?',
  isJournalUnreadable: 'is there a journal that cannot be read?',
  isThereNoJournal: 'is there no journal of a deployment?',
  isEarlierJournalOver: 'is no journal there, or only one that was told already?',
  isDownloadStuck: 'was the download restored too often without a byte?',
  isVerifyingStuck: 'was verifying restored too often?',
  isStuck: 'was this step restored too often?',
  isPackageGone: 'is the package gone from the work folder?',
  hasTrustRunOut: 'was the package verified more than 24 h ago?',
  isCommitted: 'is the wanted release the live one already?',
  isLastResortGoingOn: 'is the factory release being put back?',
  isLastResortAbsent: 'is the factory release not being put back?',
  isOrdinaryJournal: 'is there a journal of an update or a rollback?',
  isUndoUnfinished: 'is an undo begun and not finished?',
  mayStopAgain: 'were services being stopped, and may that go on?',
  isJournalStopping: 'was it cut while services were stopped?',
  isJournalSwitching: 'was it cut while files were switched?',
  isJournalSwitched: 'was it cut after the switch?',
  isJournalUndoing: 'was it cut while undoing?',
  isJournalUndone: 'was it cut after undoing?',
  isJournalGoingBack: 'does the journal say that it goes back?',
  isLastResortOver: 'was the factory release put back, and that told?',
  isNothingLeftToUndo: 'is nothing left to undo?',
  isNewVersionHanging: 'did the new version hang the device again and again?',
};

/** A guard's question; empty for a name that is none of the machine's. */
export function questionOf(guard: string): string {
  const questions: Readonly<Record<string, string>> = GUARD_QUESTIONS;
  return Object.hasOwn(questions, guard) ? (questions[guard] ?? '') : '';
}
