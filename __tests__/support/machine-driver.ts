import { setImmediate } from 'node:timers/promises';
import { createActor, fromPromise, type Snapshot } from 'xstate';
import type { Instant } from '../../machines/clock.js';
import { UpdateError, type ErrorCode, type UpdateErrorFacts } from '../../machines/errors.js';
import type { PackageOrder } from '../../machines/package-order.js';
import type { ReportBody } from '../../machines/report-outbox.js';
import { statePath } from '../../machines/stage.js';
import type { JournalFacts, JournalPhase, UpdateEvent } from '../../machines/update-events.js';
import { updateMachine } from '../../machines/update-machine.js';
import { readSnapshot } from './read-snapshot.js';

export const HOUR_MS = 3_600_000;
const WALL_MS = Date.UTC(2030, 0, 1);

/** A moment of the first boot, so many ms after it. */
export function at(uptimeMs: number, of: Partial<Instant> = {}): Instant {
  return { bootId: 'first', uptimeMs, wallMs: WALL_MS + uptimeMs, wallIsPlausible: true, ...of };
}

export const ORDER: PackageOrder = {
  version: '1.1.0',
  md5: 'a'.repeat(32),
  size: 1000,
  sha256: null,
  url: 'http://127.0.0.1/a.zip?sig=first',
  name: 'a.zip',
};
export const OTHER_ORDER: PackageOrder = { ...ORDER, version: '1.2.0', md5: 'b'.repeat(32) };
export const LIVE = { id: '000001-1.0.0', version: '1.0.0' };
export const WANTED = { id: '000002-1.1.0', version: '1.1.0' };

export const DOWNLOAD = { type: 'DOWNLOAD', order: ORDER } satisfies UpdateEvent;
export const UPDATE = { type: 'UPDATE', version: ORDER.version, at: at(1000) } satisfies UpdateEvent;
export const ROLLBACK = { type: 'ROLLBACK', to: WANTED, from: LIVE } satisfies UpdateEvent;

type Restored = Extract<UpdateEvent, { type: 'RESTORED' }>;
export function restored(facts: Partial<Restored> = {}): Restored {
  return {
    type: 'RESTORED',
    at: at(2000),
    journal: null,
    restores: 1,
    packageOnDisk: true,
    current: LIVE.id,
    notices: [],
    ...facts,
  };
}

export function journal(phase: JournalPhase, facts: Partial<JournalFacts> = {}): JournalFacts {
  return { phase, purpose: 'update', from: LIVE, to: WANTED, cause: null, ...facts };
}

/** What each actor answers when all goes well. */
export const ANSWERS = {
  transfer: { resumed: false },
  backOff: null,
  awaitNetwork: { since: at(10) },
  hashPackage: null,
  inspectPackage: { modules: 1, inflatedBytes: 5, signedBy: null, warnings: [], at: at(100) },
  watchTrust: { at: at(HOUR_MS) },
  askGuard: { busy: null },
  rehashPackage: null,
  stageRelease: { releaseId: WANTED.id, notices: [] },
  stopServices: null,
  switchFiles: null,
  runPostCommands: null,
  startServices: null,
  settleServices: null,
  commitRelease: { at: at(200), notices: [] },
  goBack: { outcome: 'rolled back to 1.0.0', hasSwitched: true, notices: [] },
  goToFactory: { outcome: 'rolled back to factory 0.0.0', hasSwitched: true, notices: [] },
  watchDone: null,
  tidy: null,
};
export type PortName = keyof typeof ANSWERS;

interface Call {
  name: PortName;
  input: unknown;
  answer: (output: unknown) => void;
  reject: (error: unknown) => void;
}

/** A machine whose actors wait until the test says how each of them ends. */
export class DrivenMachine {
  /** The actors that are at work now. */
  readonly calls: Call[] = [];
  /** Each state that the machine was in, as a path, without repetition. */
  readonly path: string[] = [];
  /** Each report that was put into the outbox. */
  readonly reports: ReportBody[] = [];
  readonly actor;

  constructor(saved?: Snapshot<unknown>) {
    const port = <Output, Input>(name: PortName) => this.#port<Output, Input>(name);
    this.actor = createActor(
      updateMachine.provide({
        actors: {
          transfer: port('transfer'),
          backOff: port('backOff'),
          awaitNetwork: port('awaitNetwork'),
          hashPackage: port('hashPackage'),
          inspectPackage: port('inspectPackage'),
          watchTrust: port('watchTrust'),
          askGuard: port('askGuard'),
          rehashPackage: port('rehashPackage'),
          stageRelease: port('stageRelease'),
          stopServices: port('stopServices'),
          switchFiles: port('switchFiles'),
          runPostCommands: port('runPostCommands'),
          startServices: port('startServices'),
          settleServices: port('settleServices'),
          commitRelease: port('commitRelease'),
          goBack: port('goBack'),
          goToFactory: port('goToFactory'),
          watchDone: port('watchDone'),
          tidy: port('tidy'),
        },
      }),
      saved === undefined ? {} : { snapshot: saved },
    );
    let lastId = this.actor.getSnapshot().context.outbox.nextId - 1;
    this.actor.subscribe({
      next: ({ value, context }) => {
        const state = statePath(value);
        if (state !== this.path.at(-1)) this.path.push(state);
        for (const { id, ...body } of context.outbox.waiting) {
          if (id <= lastId) continue;
          lastId = id;
          this.reports.push(body);
        }
      },
      error: () => undefined,
    });
    this.actor.start();
  }

  get state(): string {
    return statePath(this.actor.getSnapshot().value);
  }

  get context() {
    return this.actor.getSnapshot().context;
  }

  get status(): string {
    return this.actor.getSnapshot().status;
  }

  send(event: UpdateEvent): this {
    this.actor.send(event);
    return this;
  }

  /** The actor that is at work under this name. */
  call(name: PortName): Call {
    const call = this.calls.find((one) => one.name === name);
    if (call === undefined) throw new Error(`${name} is not at work in ${this.state}`);
    return call;
  }

  /** The actor of this name answers; all goes well unless the test says what it answers. */
  async finish(name: PortName, output: unknown = ANSWERS[name]): Promise<this> {
    const call = this.call(name);
    this.#drop(call);
    call.answer(output);
    await setImmediate();
    return this;
  }

  /** Lets a wait pass, if there is one. */
  async settleWait(name: 'backOff' | 'awaitNetwork'): Promise<void> {
    if (this.calls.some((call) => call.name === name)) await this.finish(name);
  }

  /** The actor of this name is rejected with an error of the table. */
  fail(name: PortName, code: ErrorCode, facts: UpdateErrorFacts = {}, message = 'words'): Promise<this> {
    return this.failWith(name, new UpdateError(code, message, facts));
  }

  /** The actor of this name is rejected with anything at all. */
  async failWith(name: PortName, thrown: unknown): Promise<this> {
    const call = this.call(name);
    this.#drop(call);
    call.reject(thrown);
    await setImmediate();
    return this;
  }

  /** Lets every actor answer well, but those that only wait, until none is left. */
  async settle(): Promise<this> {
    for (let steps = 0; steps < 50; steps++) {
      const next = this.calls.find(({ name }) => name !== 'watchTrust' && name !== 'watchDone');
      if (next === undefined) return this;
      await this.finish(next.name);
    }
    throw new Error(`does not settle: ${this.path.join(' → ')}`);
  }

  /** What a restart would read: the snapshot through JSON. The machine itself is stopped. */
  saved(): Snapshot<unknown> {
    const text = JSON.stringify(this.actor.getPersistedSnapshot());
    this.actor.stop();
    return readSnapshot(text);
  }

  #port<Output, Input>(name: PortName) {
    return fromPromise<Output, Input>(
      ({ input, signal }) =>
        new Promise<Output>((resolve, reject) => {
          const isAnswer = (output: unknown): output is Output => output !== undefined;
          const answer = (output: unknown) => {
            if (isAnswer(output)) resolve(output);
          };
          const call: Call = { name, input, answer, reject };
          this.calls.push(call);
          signal.addEventListener('abort', () => this.#drop(call));
        }),
    );
  }

  #drop(call: Call): void {
    const index = this.calls.indexOf(call);
    if (index >= 0) this.calls.splice(index, 1);
  }
}

/** A machine that a saved state was given to, and that was told what else is on disk. */
export function restart(saved: Snapshot<unknown> | undefined, event: UpdateEvent): DrivenMachine {
  return new DrivenMachine(saved).send(event);
}

/** An event that is not of the machine's type: what is ill-formed, or what XState itself sends. */
export function asEvent(event: object): UpdateEvent {
  if (!isEvent(event)) throw new Error('never');
  return event;
}

function isEvent(event: object): event is UpdateEvent {
  return 'type' in event;
}
