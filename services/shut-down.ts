import type { Actor } from 'xstate';
import { toUpdateError } from '../machines/errors.js';
import type { UpdateMachine } from '../machines/update-machine.js';
import type { ActorParts } from './actor-parts.js';
import { leaveServicesStarted } from './deployment/leave-services-started.js';
import type { Effects } from './effect.js';
import type { UpdateStories } from './history/update-stories.js';
import type { Reporter } from './reporting/reporter.js';
import type { SnapshotStore } from './saved-state/snapshot-store.js';

/** What is ended, in an updater that runs. */
export interface Running {
  actor: Actor<UpdateMachine>;
  reporter: Reporter;
  snapshots: SnapshotStore;
  effects: Effects;
  stories: UpdateStories;
  tools: ActorParts;
}

/**
 * Leaves the device as the next start finds its way from: the state is saved, what is going on ends at its next safe
 * point, services that are stopped by us are asked to start. To be called once.
 */
export async function shutDown({
  actor,
  reporter,
  snapshots,
  effects,
  stories,
  tools,
}: Running): Promise<void> {
  reporter.stop();
  await snapshots
    .saved()
    .catch((error: unknown) =>
      tools.log.warn('shutting down with a state that is not saved', { why: toUpdateError(error).message }),
    );
  snapshots.close();
  actor.stop();
  await effects.idle();
  await stories.written();
  await leaveServicesStarted(tools);
}
