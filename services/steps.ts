/**
 * Every step at which the updater changes the world. A process can be killed before and after each of them, and a test
 * does so: a name that is not here does not compile, and one that no test reaches fails the suite.
 */
export const STEPS = [
  'state.save',
  'state.backup',
  'state.putAside',
  'reserve.make',
  'reserve.giveUp',
  'workFolder.make',
  'workFolder.remove',
  'partial.open',
  'partial.sync',
  'partial.note',
  'partial.finish',
  'partial.remove',
  'pack.write',
  'store.make',
  'store.lock',
  'staging.make',
  'staging.write',
  'staging.copy',
  'staging.link',
  'staging.attributes',
  'staging.sync',
  'staging.outside',
  'staging.remove',
  'journal.create',
  'journal.mark',
  'journal.replace',
  'journal.remove',
  'unit.stop',
  'unit.kill',
  'unit.resetFailed',
  'unit.start',
  'unit.reload',
  'program.run',
  'switch.folder',
  'switch.rename',
  'switch.unlink',
  'switch.sync',
  'undo.keepEdit',
  'undo.rename',
  'undo.unlink',
  'undo.folder',
  'undo.sync',
  'commit.object',
  'commit.localCopy',
  'commit.sync',
  'commit.release',
  'commit.factory',
  'commit.previous',
  'commit.current',
  'commit.notices',
  'prune.release',
  'prune.object',
  'store.bad',
  'history.append',
  'log.tidy',
] as const;

export type StepName = (typeof STEPS)[number];

/** Where in a step the process is: a durable write has two moments between its beginning and its end. */
export type StepMoment = 'before' | 'written' | 'renamed' | 'after';

export type StepWatcher = (name: StepName, moment: StepMoment) => void;

let watcher: StepWatcher | null = null;

/** Lets a test see (and end the process at) every step. Nothing on a device calls this. */
export function watchSteps(watch: StepWatcher | null): void {
  watcher = watch;
}

/** Tells the watcher, if there is one, that a moment of a step is reached. */
export function reach(name: StepName, moment: StepMoment): void {
  watcher?.(name, moment);
}

/** Carries out one change of the world as a named step. */
export async function step<Result>(name: StepName, change: () => Promise<Result>): Promise<Result> {
  reach(name, 'before');
  const result = await change();
  reach(name, 'after');
  return result;
}
