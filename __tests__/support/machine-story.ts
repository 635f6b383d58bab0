import { isErrorCode, type RetryAdvice, type UpdateErrorFacts } from '../../machines/errors.js';
import type { JournalFacts, JournalPhase, UpdateEvent } from '../../machines/update-events.js';
import { LEAF_STATES, machineIn, type LeafState } from './driven-states.js';
import {
  ANSWERS,
  at,
  DOWNLOAD,
  type DrivenMachine,
  HOUR_MS,
  journal,
  OTHER_ORDER,
  restart,
  restored,
  ROLLBACK,
  UPDATE,
  WANTED,
  type PortName,
} from './machine-driver.js';

/** How it went on from what happened: each cell of a row. */
export interface Story {
  /** Innermost states in order, without the one in which it began or began again; `-` where it stayed there. */
  states: string;
  /** Stages told to device-api in order, `failed` with its code; `-` for none. */
  reports: string;
  /** What of the package stays, and whether its version is marked bad. */
  keeps: string;
}

const ORDERS: Readonly<Record<string, UpdateEvent>> = {
  DOWNLOAD,
  'DOWNLOAD other': { type: 'DOWNLOAD', order: OTHER_ORDER },
  UPDATE,
  'UPDATE too late': { ...UPDATE, at: at(25 * HOUR_MS) },
  ROLLBACK,
  CANCEL: { type: 'CANCEL' },
};

const ALL = ['DOWNLOAD', 'DOWNLOAD other', 'UPDATE', 'ROLLBACK', 'CANCEL'];

const FACTORY = { purpose: 'factory', to: { id: 'as-found', version: '0.0.0' } } as const;
/** What the journal says why it goes back. */
const CAUSE = { code: 'HEALTH_CHECK_FAILED', message: 'as the journal says' } as const;

/** Innermost names are unique, so that they are enough. */
const shortName = (path: string) => path.split('.').at(-1) ?? path;

/** One machine after the other, where it was killed in between. */
class Tale {
  machine: DrivenMachine;
  readonly #states: string[] = [];
  readonly #reports: string[] = [];
  #told: { states: number; reports: number };

  constructor(machine: DrivenMachine) {
    this.machine = machine;
    this.#told = { states: machine.path.length, reports: machine.reports.length };
  }

  async kill(event: UpdateEvent, isLost: boolean): Promise<void> {
    this.#note();
    // The first state of the next machine is the one that this one was killed in.
    this.#told = { states: 1, reports: 0 };
    // A state with this tag is never saved: what is on disk is the one before it.
    const isUnsaved = this.machine.actor.getSnapshot().hasTag('unsaved');
    const onDisk = isUnsaved ? await machineIn('ready.waiting') : this.machine;
    this.machine = restart(isLost ? undefined : onDisk.saved(), event);
  }

  /** Lets the others answer until an actor is at work. */
  async until(name: PortName): Promise<void> {
    while (!this.machine.calls.some((call) => call.name === name)) {
      const next = this.machine.calls.find((call) => call.name !== 'watchTrust' && call.name !== 'watchDone');
      if (next === undefined) throw new Error(`${name} never begins: ${this.machine.path.join(' → ')}`);
      await this.machine.finish(next.name);
    }
  }

  async end(): Promise<Story> {
    await this.machine.settle();
    this.#note();
    const { kept, deployment } = this.machine.context;
    return {
      states: this.#states.join(' → ') || '-',
      reports: this.#reports.join(' ') || '-',
      keeps: deployment?.provenBad === true ? `${kept}, bad` : kept,
    };
  }

  #note(): void {
    const { path, reports } = this.machine;
    this.#states.push(...path.slice(this.#told.states).map(shortName));
    for (const { stage, error } of reports.slice(this.#told.reports))
      this.#reports.push(error === null ? stage : `${stage}:${error.split(':')[0] ?? ''}`);
  }
}

type Happens = (tale: Tale, words: readonly string[]) => Promise<void>;

const HAPPENINGS: readonly [RegExp, Happens][] = [
  [/^(killed|lost)(?: (\d+)(?:rd|th) time)?(?: with (.*))?$/, killed],
  [/^refuses (.*)$/, refuses],
  [/^save (\w+)$/, saveFails],
  [/^(\w+) ([A-Z][A-Z\d_]+)(?: (retry|network|after bytes))?$/, fails],
  [/^(\w+) (resumed|busy|a day|in time)$/, answers],
  [new RegExp(`^(${Object.keys(ORDERS).join('|')})$`), order],
];

/**
 * Brings a machine into a state (by its path, or its innermost name), lets things happen to it, and every actor answer
 * well from then on, until it settles. Happenings are separated by commas:
 * - `killed with switching`: what was saved is restored, with a journal of that phase (`factory PHASE`: of the last
 *   resort; `factory recorded`: that is the live release), with `new live`, `no package`, `old package`, or nothing beside it; `killed 4th time`: without getting on;
 *   `lost`: the saved state is gone too
 * - `stageRelease DISK_FULL`: the actor fails, once it is at work; `transfer DOWNLOAD_FAILED retry` with that advice
 * - `save DISK_FULL`: the state could not be saved, so that the actor at work does not begin
 * - `askGuard busy`, `watchTrust a day`: the actor answers so
 * - `CANCEL` and other orders; `refuses CANCEL + UPDATE`, `refuses all`: orders that change nothing
 *
 * `4 × ` before a happening lets it happen so often.
 */
export async function storyOf(state: string, happenings: string): Promise<Story> {
  const leaf = LEAF_STATES.find((name) => name === state || shortName(name) === state);
  if (leaf === undefined) throw new Error(`there is no state ${state}`);
  const tale = new Tale(await machineIn(leaf satisfies LeafState));
  for (const happening of happenings.split(',')) {
    const [, times = '1', words = ''] = /^(?:(\d+) × )?(.*)$/.exec(happening.trim()) ?? [];
    for (let n = 0; n < Number(times); n++) await happen(tale, words);
  }
  return tale.end();
}

async function happen(tale: Tale, happening: string): Promise<void> {
  for (const [form, happens] of HAPPENINGS) {
    const words = form.exec(happening);
    if (words !== null) return happens(tale, words.slice(1));
  }
  throw new Error(`what is '${happening}'?`);
}

const PHASES: readonly JournalPhase[] = ['stopping', 'switching', 'switched', 'undoing', 'undone'];

async function killed(tale: Tale, [how, times = '1', found = 'nothing']: readonly string[]): Promise<void> {
  const beside = { restores: Number(times) };
  const phase = PHASES.find((one) => found.endsWith(one));
  const facts = phase === undefined ? foundAs(found) : { journal: journalOf(phase, found) };
  await tale.kill(restored({ ...beside, ...facts }), how === 'lost');
}

function journalOf(phase: JournalPhase, found: string): JournalFacts {
  const isLastResort = found.startsWith('factory');
  const cause = isLastResort || phase === 'undoing' || phase === 'undone' ? CAUSE : null;
  return journal(phase, isLastResort ? { ...FACTORY, cause } : { cause });
}

function foundAs(found: string) {
  const facts = {
    nothing: {},
    'new live': { current: WANTED.id },
    'factory recorded': {
      journal: journalOf('switched', 'factory switched'),
      current: FACTORY.to.id,
    },
    'no package': { packageOnDisk: false },
    'old package': { at: at(25 * HOUR_MS) },
  };
  const known = Object.entries(facts).find(([name]) => name === found);
  if (known === undefined) throw new Error(`what is '${found}' beside a saved state?`);
  return known[1];
}

async function refuses({ machine }: Tale, [orders = '']: readonly string[]): Promise<void> {
  for (const name of orders === 'all' ? ALL : orders.split(' + ')) {
    const before = [...machine.calls];
    const { state } = machine;
    machine.send(orderOf(name));
    await Promise.resolve();
    const isDisturbed = machine.calls.some((call, i) => call !== before[i]);
    if (machine.state !== state || isDisturbed) throw new Error(`${state} does not refuse ${name}`);
  }
}

async function saveFails({ machine }: Tale, [code = '']: readonly string[]): Promise<void> {
  const waiting = machine.calls.find(({ name }) => !['watchTrust', 'watchDone'].includes(name));
  if (waiting === undefined || !isErrorCode(code)) throw new Error(`${machine.state} waits for no save`);
  await machine.fail(waiting.name, code, {}, 'the state could not be saved');
}

async function fails(tale: Tale, [name = '', code, how]: readonly string[]): Promise<void> {
  if (!isPort(name) || !isErrorCode(code)) throw new Error(`what is '${name} ${String(code)}'?`);
  await tale.until(name);
  await tale.machine.fail(name, code, factsOf(how));
}

function factsOf(how: string | undefined): UpdateErrorFacts {
  const advice = (['retry', 'network'] satisfies RetryAdvice[]).find((one) => one === how);
  if (how === 'after bytes') return { retry: 'retry', bytesArrived: 10 };
  return advice === undefined ? {} : { retry: advice };
}

async function answers(tale: Tale, [name = '', how]: readonly string[]): Promise<void> {
  if (!isPort(name)) throw new Error(`there is no actor ${name}`);
  await tale.until(name);
  const special = {
    resumed: { resumed: true },
    busy: { busy: 'printing' },
    'a day': { at: at(25 * HOUR_MS) },
  };
  const output = Object.entries(special).find(([one]) => one === how)?.[1];
  await (output === undefined ? tale.machine.finish(name) : tale.machine.finish(name, output));
}

function order({ machine }: Tale, [name = '']: readonly string[]): Promise<void> {
  machine.send(orderOf(name));
  return Promise.resolve();
}

function orderOf(name: string): UpdateEvent {
  const event = ORDERS[name];
  if (event === undefined) throw new Error(`there is no order ${name}`);
  return event;
}

function isPort(name: string): name is PortName {
  return Object.hasOwn(ANSWERS, name);
}
