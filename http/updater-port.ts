import type { Instant } from '../machines/clock.js';
import type { Progress, TopState } from '../machines/stage.js';
import type { UpdateContext } from '../machines/update-context.js';
import type { UpdateEvent } from '../machines/update-events.js';
import type { Health, HistoryRow, StreamItem, Transition, Versions } from '../machines/views.js';

/** The machine's snapshot as HTTP reads it. */
export interface MachineState {
  /** XState's state value: a string, or nested objects. */
  value: unknown;
  context: UpdateContext;
  /** Whether the machine would take this event now. */
  can(event: UpdateEvent): boolean;
}

/** All that the HTTP layer may know of the updater: events in, state out. */
export interface UpdaterPort {
  state(): MachineState;
  /** `by`: the program that gives the order, as it calls itself. */
  send(event: UpdateEvent, by?: string): void;
  /** Answers when the newest state is on disk; rejects with an UpdateError when it could not be saved. */
  saved(): Promise<void>;
  /** Answers with the first state for which this holds (the present one counts). */
  waitFor(holds: (state: MachineState) => boolean): Promise<MachineState>;
  now(): Instant;
  progress(state: TopState): Progress;
  transitions(): readonly Transition[];
  /** Calls back for each item from now on; items after `afterId` that are still kept come first. Returns how to end. */
  stream(afterId: number | null, listener: (item: StreamItem) => void): () => void;
  versions(): Promise<Versions>;
  history(): Promise<HistoryRow[]>;
  health(): Promise<Health>;
  /** Prometheus text, without a route's own figures. */
  metrics(): Promise<string>;
}
