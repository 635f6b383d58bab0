import { createActor, type AnyStateMachine, type AnyStateNode, type Snapshot } from 'xstate';
import { context, persistedSnapshot, savedState } from '../compiled-checks.js';
import { isContext } from './context-shape.js';
import { faultIn } from './fault-in-shape.js';
import { migrated } from './migrations.js';
import { needInputsOf, needTheirActors, type PersistedChildren } from './restored-actors.js';
import { checksumOf, isSavedState, type Restores } from './saved-state.js';

export interface Restored {
  snapshot: Snapshot<unknown>;
  restores: Restores;
}

interface PersistedSnapshot extends Record<string, unknown> {
  status: 'active';
  value: unknown;
  context: unknown;
  children: PersistedChildren;
}

function isPersisted(value: unknown): value is PersistedSnapshot {
  return persistedSnapshot(value);
}

/**
 * What a state file's text restores to. Throws an Error that says why it cannot be: not whole, of another schema, a
 * state that the machine does not have, an invoked actor whose child is missing or has ended (it would wait for ever), one
 * that the state does not invoke, a snapshot that is not active, a context or an input of another shape, an actor at work
 * on a package that is not the ordered one.
 */
export function passGate(text: string, machine: AnyStateMachine): Restored {
  const parsed = parseJson(text);
  if (!isSavedState(parsed)) throw new Error(`the envelope is wrong: ${faultIn(savedState.errors)}`);
  if (checksumOf(parsed) !== parsed.checksum) throw new Error('the checksum does not match');
  const snapshot = migrated(parsed.snapshot, parsed.schema);
  if (!isPersisted(snapshot)) throw new Error(`the snapshot is wrong: ${faultIn(persistedSnapshot.errors)}`);
  if (!isContext(snapshot.context)) throw new Error(`the context is wrong: ${faultIn(context.errors)}`);
  needTheirActors(statesIn(snapshot.value, machine), snapshot.children);
  needInputsOf(snapshot.context, snapshot.children);
  const restorable = toSnapshot(snapshot);
  needNoError(restorable, machine);
  return { snapshot: restorable, restores: parsed.restores };
}

/** The states that are active, outermost first. */
function statesIn(value: unknown, machine: AnyStateMachine): AnyStateNode[] {
  const states: AnyStateNode[] = [];
  let node: AnyStateNode = machine.root;
  for (let rest = value; ;) {
    const name =
      typeof rest === 'string' ? rest : Object.keys(typeof rest === 'object' && rest !== null ? rest : {})[0];
    const next = name !== undefined && Object.hasOwn(node.states, name) ? node.states[name] : undefined;
    if (next === undefined)
      throw new Error(`the machine has no state ${JSON.stringify(value).slice(0, 200)}`);
    states.push(next);
    node = next;
    if (typeof rest === 'string') break;
    rest = Object.values<unknown>({ ...(typeof rest === 'object' ? rest : {}) })[0];
  }
  if (Object.keys(node.states).length > 0)
    throw new Error(`${JSON.stringify(value)} names no innermost state`);
  return states;
}

/** The parser's own words would quote the text, and with it the URL's credential. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const what = text.trim() === '' ? 'it is empty' : `${text.length} characters`;
    throw new Error(`it is not JSON: ${what}`, { cause: error });
  }
}

function toSnapshot(persisted: PersistedSnapshot): Snapshot<unknown> {
  return { ...persisted, status: 'active', output: undefined, error: undefined };
}

function needNoError(snapshot: Snapshot<unknown>, machine: AnyStateMachine): void {
  const trial = createActor(machine, { snapshot });
  trial.subscribe({ error: () => undefined });
  const restored: Snapshot<unknown> = trial.getSnapshot();
  if (restored.status !== 'active') throw new Error(`the machine restores it as ${restored.status}`);
}
