import { waitFor } from 'xstate';
import type { MachineState, UpdaterPort } from '../../http/updater-port.js';
import type { HistoryRow, Health, StreamItem, Transition, Versions } from '../../machines/views.js';
import { firstWords } from '../../machines/first-words.js';
import { statePath, topStateOf } from '../../machines/stage.js';
import { ProgressBoard } from '../../services/reporting/progress-board.js';
import { Gate } from './gate.js';
import { instantAt } from './machine-states.js';
import { startScriptedMachine, type ScriptedMachine } from './scripted-machine.js';

/** The updater as HTTP sees it: the real machine, scripted, and everything around it settable by the test. */
export interface ScriptedUpdater {
  port: UpdaterPort;
  machine: ScriptedMachine;
  board: ProgressBoard;
  /** What `saved()` waits for. */
  saves: Gate;
  /** What `versions()` waits for. */
  storeReads: Gate;
  store: Versions;
  history: HistoryRow[];
  health: Health;
  /** Monotonic ms of the clock that orders are stamped with. */
  uptimeMs: number;
  /** Puts an item into the event stream. */
  tell(item: StreamItem): void;
  /** How many listeners the event stream has. */
  listeners(): number;
}

const STORE: Versions = {
  current: { id: 'release-1.1.0', version: '1.1.0' },
  previous: { id: 'release-1.0.0', version: '1.0.0' },
  factory: { id: 'as-found', version: '0.0.0' },
  releases: [
    { id: 'release-1.1.0', version: '1.1.0', installedAt: '2027-01-02T00:00:00Z', bytes: 100, bad: null },
    { id: 'release-1.0.0', version: '1.0.0', installedAt: '2027-01-01T00:00:00Z', bytes: 90, bad: null },
  ],
};

/** Starts it, with the machine in idle. Stop the machine at the end. */
export function startScriptedUpdater(): ScriptedUpdater {
  const machine = startScriptedMachine();
  const { actor } = machine;
  const board = new ProgressBoard();
  const transitions: Transition[] = [];
  const kept: StreamItem[] = [];
  const listeners = new Set<(item: StreamItem) => void>();
  let from = machine.path();

  const stateOf = (snapshot: ReturnType<typeof actor.getSnapshot>): MachineState => ({
    value: snapshot.value,
    context: snapshot.context,
    can: (event) => snapshot.can(event),
  });

  actor.system.inspect((inspected) => {
    if (inspected.type !== '@xstate.snapshot' || inspected.actorRef !== actor) return;
    const { value } = actor.getSnapshot();
    const to = statePath(value);
    board.enter(topStateOf(value), firstWords(topStateOf(value), actor.getSnapshot().context));
    const id = transitions.length + 1;
    const step = { event: inspected.event.type, edge: null, about: null, refused: [], changes: [] };
    transitions.push({ id, time: `T${id}`, from, to, afterMs: 0, ...step });
    from = to;
  });

  const updater: ScriptedUpdater = {
    machine,
    board,
    saves: new Gate(),
    storeReads: new Gate(),
    store: STORE,
    history: [],
    health: { ok: true, checks: { stateFolder: 'ok', disk: 'ok' } },
    uptimeMs: 2000,
    tell: (item) => {
      kept.push(item);
      for (const listener of listeners) listener(item);
    },
    listeners: () => listeners.size,
    port: {
      state: () => stateOf(actor.getSnapshot()),
      send: (event) => machine.send(event),
      saved: () => updater.saves.passed(),
      waitFor: async (holds) =>
        stateOf(await waitFor(actor, (snapshot) => holds(stateOf(snapshot)), { timeout: Infinity })),
      now: () => instantAt(updater.uptimeMs),
      progress: (state) => board.read(state),
      transitions: () => transitions,
      stream: (afterId, listener) => {
        if (afterId !== null) kept.filter(({ id }) => id > afterId).forEach(listener);
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
      versions: async () => {
        await updater.storeReads.passed();
        return updater.store;
      },
      history: () => Promise.resolve(updater.history),
      health: () => Promise.resolve(updater.health),
      metrics: () => Promise.resolve('tope_updates_total{outcome="success"} 3\n'),
    },
  };
  return updater;
}
