import { Ajv } from 'ajv';
import { createActor, type AnyStateMachine, type Snapshot } from 'xstate';
import { isActorInput, isContext } from './context-shape.js';
import { migrated } from './migrations.js';
import { checksumOf, isSavedState, type Restores } from './saved-state.js';

export interface Restored {
  snapshot: Snapshot<unknown>;
  restores: Restores;
}

interface PersistedSnapshot extends Record<string, unknown> {
  status: 'active';
  value: unknown;
  context: unknown;
  children: Record<string, { src: string; snapshot: { input?: unknown } }>;
}

const isPersisted = new Ajv().compile<PersistedSnapshot>({
  type: 'object',
  required: ['status', 'value', 'context', 'children'],
  properties: {
    status: { const: 'active' },
    context: { type: 'object' },
    children: {
      type: 'object',
      additionalProperties: {
        type: 'object',
        required: ['src', 'snapshot'],
        properties: { src: { type: 'string' }, snapshot: { type: 'object', required: ['status'] } },
      },
    },
  },
});

/**
 * What a state file's text restores to. Throws an Error that says why it cannot be: not whole, of another schema, a
 * state that the machine does not have, an invoked actor whose child is missing (it would wait for ever), one that the
 * state does not invoke, a snapshot that is not active, a context or an input of another shape.
 */
export function passGate(text: string, machine: AnyStateMachine): Restored {
  const parsed = parseJson(text);
  if (!isSavedState(parsed)) throw new Error(`the envelope is wrong: ${firstProblem(isSavedState.errors)}`);
  if (checksumOf(parsed) !== parsed.checksum) throw new Error('the checksum does not match');
  const snapshot = migrated(parsed.snapshot, parsed.schema);
  if (!isPersisted(snapshot)) throw new Error(`the snapshot is wrong: ${firstProblem(isPersisted.errors)}`);
  if (!isContext(snapshot.context))
    throw new Error(`the context is wrong: ${firstProblem(isContext.errors)}`);
  needKnownStates(snapshot, machine);
  needGoodInputs(snapshot);
  const restorable = toSnapshot(snapshot);
  needNoError(restorable, machine);
  return { snapshot: restorable, restores: parsed.restores };
}

function needKnownStates({ value, children }: PersistedSnapshot, machine: AnyStateMachine): void {
  const wanted = new Map<string, string>();
  let node = machine.root;
  for (let rest = value; ;) {
    const name =
      typeof rest === 'string' ? rest : Object.keys(typeof rest === 'object' && rest !== null ? rest : {})[0];
    const next = name !== undefined && Object.hasOwn(node.states, name) ? node.states[name] : undefined;
    if (next === undefined)
      throw new Error(`the machine has no state ${JSON.stringify(value).slice(0, 200)}`);
    for (const invoke of next.invoke) wanted.set(invoke.id, typeof invoke.src === 'string' ? invoke.src : '');
    node = next;
    if (typeof rest === 'string') break;
    rest = Object.values<unknown>({ ...(typeof rest === 'object' ? rest : {}) })[0];
  }
  if (Object.keys(node.states).length > 0)
    throw new Error(`${JSON.stringify(value)} names no innermost state`);
  for (const [id, src] of wanted) {
    if (children[id]?.src !== src)
      throw new Error(`the actor ${id} (${src}) of the state has no child in the snapshot`);
  }
  // It would be started too.
  const stray = Object.keys(children).find((id) => !wanted.has(id));
  if (stray !== undefined) throw new Error(`the state does not invoke the actor ${stray} of the snapshot`);
}

/** A restored actor runs with the input that was saved with it, and that becomes part of paths. */
function needGoodInputs({ children }: PersistedSnapshot): void {
  for (const [id, { snapshot }] of Object.entries(children)) {
    if (!isActorInput(snapshot.input ?? null))
      throw new Error(`the input of the actor ${id} is wrong: ${firstProblem(isActorInput.errors)}`);
  }
}

/** The parser's own words would quote the text, and with it the URL's credential. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error('it is not JSON', { cause: error });
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

/** Of several complaints the one that is farthest in: that an object is not null either says little. */
function firstProblem(errors: { instancePath: string; message?: string }[] | null | undefined): string {
  const depth = ({ instancePath }: { instancePath: string }) => instancePath.split('/').length;
  const [first] = [...(errors ?? [])].sort((a, b) => depth(b) - depth(a));
  return first === undefined
    ? 'unknown'
    : `${first.instancePath === '' ? 'it' : first.instancePath} ${first.message ?? ''}`;
}
