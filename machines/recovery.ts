/**
 * What a restart finds, as one table: where the event RESTORED leads from each state. A state that has no row here
 * goes on by itself, because its actor starts again. **The journal outranks the saved state**: rows that are about
 * the saved state alone hold only where there is no journal, and `whatever` holds for every state, lost ones too. One that
 * is over and was not removed yet decides nothing where an order was taken after it.
 */
export const AFTER_RESTART = {
  whatever: [
    { guard: 'isJournalUnreadable', target: '.failed', actions: 'noteUnreadableJournal' },
    { guard: 'isLastResortGoingOn', target: '.restarting.rollingBack.toFactory', actions: 'takeUpJournal' },
    { guard: 'isJournalStopping', target: '.deploying.undoing', actions: 'takeUpJournal' },
    { guard: 'isJournalSwitching', target: '.deploying.undoing', actions: 'takeUpJournal' },
    {
      guard: 'isNewVersionHanging',
      target: '.restarting.rollingBack',
      actions: ['takeUpJournal', 'noteHangingVersion', 'noteBadVersion'],
    },
    { guard: 'isJournalSwitched', target: '.restarting', actions: 'takeUpJournal' },
    { guard: 'isJournalUndoing', target: '.restarting.rollingBack', actions: 'takeUpJournal' },
    { guard: 'isJournalUndone', target: '.deploying.undoing', actions: 'takeUpJournal' },
  ],

  idle: { guard: 'isThereNoJournal', target: 'idle', reenter: true, description: 'tidies again' },
  downloading: [
    { guard: 'isDownloadStuck', target: 'failed', actions: 'noteStuckDownload' },
    { guard: 'isEarlierJournalOver', description: 'goes on' },
  ],
  verifying: [
    { guard: 'isVerifyingStuck', target: 'failed', actions: 'noteStuck' },
    { guard: 'isEarlierJournalOver', description: 'goes on' },
  ],
  'verifying.inspecting': [
    { guard: 'isVerifyingStuck', target: '#updater.failed', actions: 'noteStuck' },
    { guard: 'isEarlierJournalOver', target: 'hashing' },
  ],
  ready: [
    { guard: 'hasTrustRunOut', target: 'failed', actions: 'noteExpiry' },
    { guard: 'isPackageGone', target: 'failed', actions: 'noteMissingPackage' },
    { guard: 'isEarlierJournalOver', description: 'goes on' },
  ],
  deploying: { guard: 'isStuck', target: 'failed', actions: 'noteStuck' },
  'deploying.stopping': [
    { guard: 'mayStopAgain', description: 'goes on' },
    { guard: 'isStuck', target: '#updater.failed', actions: 'noteStuck' },
    { guard: 'isThereNoJournal', target: 'staging' },
  ],
  'deploying.switching': { guard: 'isThereNoJournal', target: 'undoing', actions: 'takeUpInterruption' },
  'deploying.undoing': { guard: 'isLastResortAbsent', description: 'goes on, whatever the phase' },
  restarting: [
    { guard: 'isCommitted', target: 'done', actions: 'noteCommittedBefore' },
    {
      guard: 'isThereNoJournal',
      target: 'failed',
      actions: ['takeUpInterruption', 'noteRolledBackBefore'],
    },
    { guard: 'isJournalGoingBack', target: '.rollingBack', actions: ['takeUpJournal', 'noteBadVersion'] },
  ],
  'restarting.rollingBack': { guard: 'isOrdinaryJournal', description: 'goes on, whatever the phase' },
  'restarting.rollingBack.toFactory': {
    guard: 'isUndoUnfinished',
    target: 'toPrevious',
    actions: 'takeUpJournal',
    description: 'undoes first: the last resort needs whole files',
  },
  done: { guard: 'isThereNoJournal', target: 'done', reenter: true, description: 'tidies again' },
  failed: {
    guard: 'isNothingLeftToUndo',
    target: 'failed',
    reenter: true,
    description: 'undone and told: tidies again, and removes the journal',
  },
} as const;
