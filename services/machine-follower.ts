import type { Actor, SnapshotFrom } from 'xstate';
import { firstWords } from '../machines/first-words.js';
import { statePath, STAGES, topStateOf, type TopState } from '../machines/stage.js';
import type { UpdateContext } from '../machines/update-context.js';
import type { UpdateMachine } from '../machines/update-machine.js';
import type { StepSeen } from '../machines/views.js';
import type { Configuration } from './configuration/configuration.js';
import type { UpdateStories } from './history/update-stories.js';
import type { Log } from './log/log.js';
import { startOtaGui } from './programs/ota-gui.js';
import type { EventLog } from './reporting/event-log.js';
import { watchMachine } from './reporting/machine-watch.js';
import { Metrics } from './reporting/metrics.js';
import type { ProgressBoard } from './reporting/progress-board.js';
import type { Reporter } from './reporting/reporter.js';
import type { SnapshotStore } from './saved-state/snapshot-store.js';

type Snapshot = SnapshotFrom<UpdateMachine>;

/** Everybody who is told what the machine does; none of them has a say in it. */
export interface Audience {
  configuration: Configuration;
  log: Log;
  board: ProgressBoard;
  events: EventLog;
  snapshots: SnapshotStore;
  reporter: Reporter;
  stories: UpdateStories;
}

/** Follows the machine: has each of its snapshots saved, and tells its audience. */
export class MachineFollower {
  readonly metrics: Metrics;
  readonly #actor: Actor<UpdateMachine>;
  readonly #audience: Audience;
  readonly #seen: (now: UpdateContext) => StepSeen;
  #lastPath: string;
  #sinceMs = Date.now();

  /** To be made before the actor is started; `isRestored`: it starts from a saved state. `onError`: it has failed. */
  constructor(
    actor: Actor<UpdateMachine>,
    audience: Audience,
    { isRestored, onError }: { isRestored: boolean; onError: (error: unknown) => void },
  ) {
    this.#actor = actor;
    this.#audience = audience;
    const { value, context } = actor.getSnapshot();
    this.#lastPath = isRestored ? statePath(value) : 'none';
    this.#seen = watchMachine(actor);
    this.metrics = new Metrics(context.attempts);
    actor.subscribe({ next: (snapshot) => this.#onSnapshot(snapshot), error: onError });
    const { board, reporter, events } = audience;
    board.listen((state, progress) => {
      reporter.progress(state, progress);
      events.progress({ stage: STAGES[state], progress: progress.percent, message: progress.message });
    });
  }

  #onSnapshot(snapshot: Snapshot): void {
    const { snapshots, board, reporter } = this.#audience;
    const state = topStateOf(snapshot.value);
    const path = statePath(snapshot.value);
    if (!snapshot.hasTag('unsaved')) snapshots.queue(this.#actor.getPersistedSnapshot(), state);
    board.enter(state, firstWords(state, snapshot.context));
    const { waiting } = snapshot.context.outbox;
    // Reports follow the save of their state; where it fails they are sent all the same: reporting decides nothing.
    const offer = () => reporter.offer(waiting);
    void snapshots.saved().then(offer, offer);
    if (path !== this.#lastPath) this.#onTransition(state, path, snapshot.context);
  }

  #onTransition(state: TopState, path: string, context: UpdateContext): void {
    const { log, events } = this.#audience;
    const now = new Date();
    const from = this.#lastPath;
    const before = from === 'none' ? null : topStateOf(from);
    const afterMs = now.getTime() - this.#sinceMs;
    const step = this.#seen(context);
    this.metrics.countFetched(context.attempts);
    log.info('transition', { from, to: path, event: step.event });
    events.transition({ time: now.toISOString(), from, to: path, afterMs, ...step });
    if (before !== null) this.metrics.countTime(before, afterMs);
    this.#lastPath = path;
    this.#sinceMs = now.getTime();
    if (state !== before) this.#onTopState(before, state, context);
  }

  #onTopState(before: TopState | null, state: TopState, context: UpdateContext): void {
    const { log, stories, configuration } = this.#audience;
    if (before !== null) stories.enter(before, state, context);
    if (state === 'deploying') void startOtaGui(configuration.otaGui, configuration.serviceManager, log);
    if (before === null || (state !== 'done' && state !== 'failed')) return;
    if (context.failure !== null)
      log.error('the order failed', { code: context.failure.code, why: context.failure.message });
    this.metrics.countOutcome(context.failure?.code ?? 'success');
  }
}
