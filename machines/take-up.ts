import type { Deployment, Failure, UpdateContext } from './update-context.js';
import type { JournalFacts, JournalPhase } from './update-events.js';

const INTERRUPTED_WHILE: Readonly<Record<JournalPhase, string>> = {
  stopping: 'stopping services',
  switching: 'switching files',
  switched: 'restarting services',
  undoing: 'going back',
  undone: 'switching files',
};

/** Whatever was saved says less than the journal would: which files are in place nobody can tell. */
export const UNREADABLE_JOURNAL: Failure = {
  code: 'ROLLBACK_FAILED',
  message:
    'an update was cut and its journal cannot be read: it is neither finished nor undone, and its files are left as they are',
  progress: 0,
};

/** The failure of a deployment that a power cut or a kill ended, where nothing else is known of it. */
export function interruption(phase: JournalPhase | null): Failure {
  const doing = phase === null ? 'installing' : INTERRUPTED_WHILE[phase];
  return {
    code: 'DEPLOYMENT_FAILED',
    message: `interrupted by a power cut or a kill while ${doing}`,
    progress: 0,
  };
}

/**
 * What the journal says of a deployment that was cut, taken into the context, which may be of another deployment, an
 * older one, or empty. Going forward (`switched`) nothing has failed yet; else the journal's cause is the first one.
 */
export function takenUp(context: UpdateContext, journal: JournalFacts): Partial<UpdateContext> {
  const goesForward = journal.phase === 'switched' && journal.purpose !== 'factory';
  return {
    deployment: deploymentOfJournal(context.deployment, journal),
    failure: goesForward ? null : failureOfJournal(context.failure, journal),
  };
}

/** The last resort has a journal of its own, whose release is not the one that was wanted. */
function deploymentOfJournal(saved: Deployment | null, journal: JournalFacts): Deployment {
  if (saved !== null && journal.purpose === 'factory') return saved;
  const known = saved !== null && saved.to.version === journal.to.version ? saved : null;
  return {
    purpose: journal.purpose === 'update' ? 'update' : 'rollback',
    to: journal.to,
    from: journal.from,
    identity: known?.identity ?? null,
    provenBad: known?.provenBad ?? false,
  };
}

function failureOfJournal(saved: Failure | null, { phase, cause }: JournalFacts): Failure {
  if (cause === null) return saved ?? interruption(phase);
  return { code: cause.code, message: cause.message, progress: saved?.progress ?? 0 };
}
