import { join } from 'node:path';
import { createActor, waitFor, type Actor, type SnapshotFrom } from 'xstate';
import { toUpdateError } from '../machines/errors.js';
import { firstWords } from '../machines/first-words.js';
import { statePath, STAGES, topStateOf, type TopState } from '../machines/stage.js';
import type { UpdateEvent } from '../machines/update-events.js';
import { updateMachine, type UpdateMachine } from '../machines/update-machine.js';
import type { Clock } from './clock.js';
import type { Configuration } from './configuration/configuration.js';
import type { Timing } from './deployment/deployment-tools.js';
import { deploymentFacts } from './deployment/journal-facts.js';
import { leaveServicesStarted } from './deployment/leave-services-started.js';
import { Store, storeFolder } from './deployment/store.js';
import { readVersions } from './deployment/versions.js';
import { look } from './disk.js';
import { makeDownloadParts } from './download/download-parts.js';
import { Effects } from './effect.js';
import { EventLog } from './reporting/event-log.js';
import { fetchedBeforeStart } from './download/fetched-so-far.js';
import { freeBytes, RESERVE_BYTES } from './free-room.js';
import { readHistory } from './history/history.js';
import { askInstallGuard } from './programs/install-guard.js';
import type { Log } from './log/log.js';
import { watchMachine } from './reporting/machine-watch.js';
import { Metrics } from './reporting/metrics.js';
import { startOtaGui } from './programs/ota-gui.js';
import { PROGRAM_FOLDER } from './program-folder.js';
import { ProgressBoard } from './reporting/progress-board.js';
import { Reporter } from './reporting/reporter.js';
import { readState } from './saved-state/read-state.js';
import { makeReserve } from './saved-state/reserve.js';
import { NO_RESTORES, restoredOnce, type Restores } from './saved-state/saved-state.js';
import { SnapshotStore } from './saved-state/snapshot-store.js';
import type { ServiceControl } from './service-control/service-control.js';
import { updaterHealth } from './reporting/updater-health.js';
import { updateActors, type ActorParts } from './update-actors.js';
import { UpdateStories } from './history/update-stories.js';
import { makeWorkFolder, packagePath, partialPath, tmpDirOf } from './work-folder.js';

/** What an updater is made of; a test or the demo hands in its own clock, waits and service control. */
export interface UpdaterParts {
  configuration: Configuration;
  log: Log;
  clock: Clock;
  control: ServiceControl;
  timing?: Partial<Timing>;
  reserveBytes?: number;
  /** The machine itself has failed, which its design excludes: the process must end, so that a new one restores it. */
  onFatal: (error: Error) => void;
}

type Snapshot = SnapshotFrom<UpdateMachine>;
const TIMING: Omit<Timing, 'settleMs'> = {
  pollMs: 10,
  killAfterMs: 10_000,
  giveUpMs: 5000,
  startTimeoutMs: 30_000,
};

/**
 * Starts the updater from what is on disk: saved state, journal, packages. It always starts; what was wrong with them is
 * in the log. Rejects only where its folders cannot be made or read.
 */
export async function startUpdater(parts: UpdaterParts) {
  const { configuration, log, clock, control, reserveBytes = RESERVE_BYTES } = parts;
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
  const stateNow = () => topStateOf(actor.getSnapshot().value);
  const effects = new Effects({ saved, percent: () => board.read(stateNow()).percent });
  const context = () => actor.getSnapshot().context;
  const download = await makeDownloadParts({ configuration, tmpDir, store, log, reserveBytes, context });
  const tools = actorParts();
  const stories = await UpdateStories.open({
    path: historyPath,
    log,
    clock,
    liveVersion: async () => (await store.named('current'))?.version ?? null,
    saved,
  });
  let lastPath = restored === null ? 'none' : statePath(valueIn(restored.snapshot));
  let sinceMs = Date.now();
  let isShuttingDown = false;

  const actor: Actor<UpdateMachine> = createActor(
    updateMachine.provide({ actors: updateActors(tools, effects) }),
    restored === null ? {} : { snapshot: restored.snapshot },
  );
  const seen = watchMachine(actor);
  actor.subscribe({ next: onSnapshot, error: (error) => parts.onFatal(toUpdateError(error)) });
  board.listen((state, progress) => {
    reporter.progress(state, progress);
    events.progress({ stage: STAGES[state], progress: progress.percent, message: progress.message });
  });
  const metrics = new Metrics(context().attempts);
  const found = await whatIsOnDisk();
  snapshots.countRestores(found.restores);
  actor.start();
  actor.send(found.event);
  stories.resume(stateNow(), context());
  const { order } = context();
  // A download that goes on is shown from where it is, before anyone can ask.
  if (order !== null && stateNow() === 'downloading')
    board.tell(...(await fetchedBeforeStart(tmpDir, order, clock().bootId)));

  function actorParts(): ActorParts {
    const { managedRoot, extraRoots, workDir, installGuard, serviceManager } = configuration;
    return {
      store,
      territory: { roots: [managedRoot, ...extraRoots], forbidden: [store.root, workDir, PROGRAM_FOLDER] },
      control,
      log,
      clock,
      tmpDir,
      timing: { ...TIMING, settleMs: configuration.settleMs, ...parts.timing },
      manager: serviceManager,
      keep: configuration.keep,
      reserveBytes,
      ...download,
      packageName: () => context().order?.name ?? '',
      packagePath: (identity) => packagePath(tmpDir, identity),
      askGuard: (signal) => askInstallGuard(installGuard, { manager: serviceManager, signal }),
      tell: (percent, message) => board.tell(percent, message),
      now: () => new Date(),
      at: clock,
      expectations: async (version) => ({
        version,
        roots: [managedRoot, ...extraRoots],
        reserved: [workDir, PROGRAM_FOLDER],
        allowPostCmds: configuration.allowPostCmds,
        signature: configuration.signature,
        keysDir: configuration.keysDir,
        product: configuration.product,
        installedVersion: (await store.named('current'))?.version ?? null,
        allowDowngrade: configuration.allowDowngrade,
      }),
    };
  }

  /** What the machine is told once, right after it has started. */
  async function whatIsOnDisk(): Promise<{ event: UpdateEvent; restores: Restores }> {
    const order = restored === null ? null : context().order;
    const whole = order === null ? null : await look(packagePath(tmpDir, order));
    const partial = order === null ? null : await look(partialPath(tmpDir, order));
    const bytes = whole?.size ?? partial?.size ?? 0;
    const restores = restored === null ? NO_RESTORES : restoredOnce(restored.restores, stateNow(), bytes);
    return {
      restores,
      event: {
        type: 'RESTORED',
        at: clock(),
        ...(await deploymentFacts(store, log)),
        restores: restores.count,
        packageOnDisk: whole !== null,
      },
    };
  }

  function onSnapshot(snapshot: Snapshot): void {
    const state = topStateOf(snapshot.value);
    const path = statePath(snapshot.value);
    if (!snapshot.hasTag('unsaved')) snapshots.queue(actor.getPersistedSnapshot(), state);
    board.enter(state, firstWords(state, snapshot.context));
    const { waiting } = snapshot.context.outbox;
    // Reports follow the save of their state; where it fails they are sent all the same: reporting decides nothing.
    const offer = () => reporter.offer(waiting);
    void saved().then(offer, offer);
    if (path !== lastPath) onTransition(state, path, snapshot);
  }

  function onTransition(state: TopState, path: string, { context }: Snapshot): void {
    const now = new Date();
    const from = lastPath;
    const before = from === 'none' ? null : topStateOf(from);
    const afterMs = now.getTime() - sinceMs;
    const step = seen(context);
    metrics.countFetched(context.attempts);
    log.info('transition', { from, to: path, event: step.event });
    events.transition({ time: now.toISOString(), from, to: path, afterMs, ...step });
    if (before !== null) metrics.countTime(before, afterMs);
    lastPath = path;
    sinceMs = now.getTime();
    if (state === before) return;
    if (before !== null) stories.enter(before, state, context);
    if (state === 'deploying') void startOtaGui(configuration.otaGui, configuration.serviceManager, log);
    if (before === null || (state !== 'done' && state !== 'failed')) return;
    if (context.failure !== null)
      log.error('the order failed', { code: context.failure.code, why: context.failure.message });
    metrics.countOutcome(context.failure?.code ?? 'success');
  }

  /**
   * Leaves the device as the next start finds its way from: the state is saved, what is going on ends at its next safe
   * point, services that are stopped by us are asked to start.
   */
  async function shutDown(): Promise<void> {
    if (isShuttingDown) return;
    isShuttingDown = true;
    reporter.stop();
    await saved().catch((error: unknown) =>
      log.warn('shutting down with a state that is not saved', { why: toUpdateError(error).message }),
    );
    snapshots.close();
    actor.stop();
    await effects.idle();
    await stories.written();
    await leaveServicesStarted(tools);
  }

  return {
    state: () => actor.getSnapshot(),
    send: (event: UpdateEvent, by?: string) => {
      stories.ordered(event.type, by);
      actor.send(event);
    },
    saved,
    waitFor: (holds: (state: Snapshot) => boolean) => waitFor(actor, holds),
    now: clock,
    progress: (state: TopState) => board.read(state),
    transitions: () => events.transitions(),
    stream: events.stream.bind(events),
    versions: () => readVersions(store),
    history: () => readHistory(historyPath),
    health: () => updaterHealth({ store, tmpDir, saved }),
    metrics: async () => metrics.text(stateNow(), await freeBytes(store.root)),
    shutDown,
  };
}

function valueIn(snapshot: object): unknown {
  return 'value' in snapshot ? snapshot.value : null;
}
