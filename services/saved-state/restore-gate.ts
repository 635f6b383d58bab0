import { Ajv } from 'ajv';
import { createActor, type AnyStateMachine, type Snapshot } from 'xstate';
import { isContext } from './context-shape.js';
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
  children: Record<string, { src: string; snapshot: unknown }>;
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
 * state that the machine does not have, an invoked actor whose child is missing (it would wait for ever), a snapshot that
 * is not active, a context of another shape.
 */
export function passGate(text: string, machine: AnyStateMachine): Restored {
  const parsed: unknown = JSON.parse(text);
  if (!isSavedState(parsed)) throw new Error(`the envelope is wrong: ${firstProblem(isSavedState.errors)}`);
  if (checksumOf(parsed) !== parsed.checksum) throw new Error('the checksum does not match');
  const snapshot = migrated(parsed.snapshot, parsed.schema);
  if (!isPersisted(snapshot)) throw new Error(`the snapshot is wrong: ${firstProblem(isPersisted.errors)}`);
  if (!isContext(snapshot.context))
    throw new Error(`the context is wrong: ${firstProblem(isContext.errors)}`);
  needKnownStates(snapshot, machine);
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

function firstProblem(errors: { instancePath: string; message?: string }[] | null | undefined): string {
  const [first] = errors ?? [];
  return first === undefined
    ? 'unknown'
    : `${first.instancePath === '' ? 'it' : first.instancePath} ${first.message ?? ''}`;
}
