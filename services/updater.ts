import { join } from 'node:path';
import { createActor, waitFor, type Actor, type SnapshotFrom } from 'xstate';
import { toUpdateError } from '../machines/errors.js';
import { topStateOf, type TopState } from '../machines/stage.js';
import type { UpdateEvent } from '../machines/update-events.js';
import { updateMachine, type UpdateMachine } from '../machines/update-machine.js';
import { makeActorParts, type DeviceParts } from './actor-parts.js';
import { Store, storeFolder } from './deployment/store.js';
import { readVersions } from './deployment/versions.js';
import { fetchedBeforeStart } from './download/fetched-so-far.js';
import { Effects } from './effect.js';
import { foundAtStart } from './found-at-start.js';
import { freeBytes } from './free-room.js';
import { readHistory } from './history/history.js';
import { UpdateStories } from './history/update-stories.js';
import { MachineFollower } from './machine-follower.js';
import { EventLog } from './reporting/event-log.js';
import { ProgressBoard } from './reporting/progress-board.js';
import { Reporter } from './reporting/reporter.js';
import { updaterHealth } from './reporting/updater-health.js';
import { readState } from './saved-state/read-state.js';
import { makeReserve } from './saved-state/reserve.js';
import { SnapshotStore } from './saved-state/snapshot-store.js';
import { shutDown } from './shut-down.js';
import { updateActors } from './update-actors.js';
import { makeWorkFolder, tmpDirOf } from './work-folder.js';

/** What an updater is made of; a test or the demo hands in its own clock, waits and service control. */
export interface UpdaterParts extends DeviceParts {
  /** The machine itself has failed, which its design excludes: the process must end, so that a new one restores it. */
  onFatal: (error: Error) => void;
}

/**
 * Starts the updater from what is on disk: saved state, journal, packages. It always starts; what was wrong with them is
 * in the log. Rejects only where its folders cannot be made or read.
 */
export async function startUpdater(parts: UpdaterParts) {
  const made = await makeUpdater(parts);
  await beginToWork(made, parts);
  return portOf(made, parts);
}

type Made = Awaited<ReturnType<typeof makeUpdater>>;

/** All parts, from what is on disk, with a machine that has not begun yet. */
async function makeUpdater(parts: UpdaterParts) {
  const { configuration, log, clock } = parts;
  const tmpDir = tmpDirOf(configuration.workDir);
  const historyPath = join(configuration.workDir, 'logs', 'history.jsonl');
  await makeWorkFolder(configuration.workDir);
  const store = new Store(storeFolder(configuration.managedRoot), log);
  await store.make();
  await makeReserve(tmpDir, log);
  const restored = await readState(tmpDir, updateMachine, log);

  const board = new ProgressBoard();
  const events = new EventLog();
  const snapshots = new SnapshotStore(tmpDir, log);
  const reporter = new Reporter({
    deviceApiUrl: configuration.deviceApiUrl,
    log,
    onDelivered: (id) => actor.send({ type: 'REPORT_DELIVERED', id }),
  });
  const saved = () => snapshots.saved();
  const effects = new Effects({ saved, percent: () => board.read(stateOf(actor)).percent });
  const tools = await makeActorParts(parts, {
    store,
    context: () => actor.getSnapshot().context,
    tell: (percent, message) => board.tell(percent, message),
  });
  const liveVersion = async () => (await store.named('current'))?.version ?? null;
  const stories = await UpdateStories.open({ path: historyPath, log, clock, liveVersion, saved });
  const actor: Actor<UpdateMachine> = createActor(
    updateMachine.provide({ actors: updateActors(tools, effects) }),
    restored === null ? {} : { snapshot: restored.snapshot },
  );
  const audience = { configuration, log, board, events, snapshots, reporter, stories };
  const { metrics } = new MachineFollower(actor, audience, {
    isRestored: restored !== null,
    onError: (error) => parts.onFatal(toUpdateError(error)),
  });
  return { ...audience, tmpDir, historyPath, store, restored, actor, tools, effects, metrics };
}

/** Starts the machine and tells it what is on disk, before anyone can ask. */
async function beginToWork(made: Made, { clock, log }: UpdaterParts): Promise<void> {
  const { actor, board, restored, snapshots, stories, store, tmpDir } = made;
  const before = restored && {
    state: stateOf(actor),
    order: actor.getSnapshot().context.order,
    restores: restored.restores,
  };
  const found = await foundAtStart(before, { store, tmpDir, clock, log });
  snapshots.countRestores(found.restores);
  actor.start();
  actor.send(found.event);
  const { context } = actor.getSnapshot();
  stories.resume(stateOf(actor), context);
  // A download that goes on is shown from where it is.
  if (context.order !== null && stateOf(actor) === 'downloading')
    board.tell(...(await fetchedBeforeStart(tmpDir, context.order, clock().bootId)));
}

/** What the outside sees of an updater that runs. */
function portOf(made: Made, { clock }: UpdaterParts) {
  const { actor, board, events, historyPath, metrics, snapshots, stories, store, tmpDir } = made;
  const saved = () => snapshots.saved();
  return {
    state: () => actor.getSnapshot(),
    send: (event: UpdateEvent, by?: string) => {
      stories.ordered(event.type, by);
      actor.send(event);
    },
    saved,
    waitFor: (holds: (state: SnapshotFrom<UpdateMachine>) => boolean) => waitFor(actor, holds),
    now: clock,
    progress: (state: TopState) => board.read(state),
    transitions: () => events.transitions(),
    stream: events.stream.bind(events),
    versions: () => readVersions(store),
    history: () => readHistory(historyPath),
    health: () => updaterHealth({ store, tmpDir, saved }),
    metrics: async () => metrics.text(stateOf(actor), await freeBytes(store.root)),
    shutDown: () => shutDown(made),
  };
}

function stateOf(actor: Actor<UpdateMachine>): TopState {
  return topStateOf(actor.getSnapshot().value);
}
