import type { AnyStateNode } from 'xstate';

/** A state as a picture shows it. */
export interface GraphState {
  /** `restarting.rollingBack.toFactory`; empty for the machine itself. */
  path: string;
  key: string;
  /** What it is for, in words; empty where the definition says nothing. */
  description: string;
  /** The names of the actors that it invokes. */
  actors: readonly string[];
  /** Path of the state that is entered first; null for a state without states in it. */
  first: string | null;
  children: readonly GraphState[];
}

/** A transition that leads somewhere. */
export interface GraphEdge {
  /** Equal to the `edge` of a recorded transition that took this way. */
  id: string;
  from: string;
  to: string;
  /** The event (or `ACTOR done`, `ACTOR failed`), and the guard in brackets. */
  words: string;
}

export interface MachineGraph {
  root: GraphState;
  /** Transitions of one state and event in the order in which they are tried. */
  edges: readonly GraphEdge[];
}

/** What a picture may be drawn of: any machine of XState's. */
export interface DrawnMachine {
  root: AnyStateNode;
}

/** States and transitions of a machine, as they are defined. What a restart leads to is left out unless asked for. */
export function graphOf(machine: DrawnMachine, { restarts = false } = {}): MachineGraph {
  const nodes = withStatesIn(machine.root);
  return { root: stateOf(machine.root), edges: nodes.flatMap((node) => edgesFrom(node, restarts)) };
}

/** A state and all states in it, outermost first. */
export function statesIn(state: GraphState): GraphState[] {
  return [state, ...state.children.flatMap(statesIn)];
}

function withStatesIn(node: AnyStateNode): AnyStateNode[] {
  return [node, ...Object.values(node.states).flatMap(withStatesIn)];
}

function pathOf(node: AnyStateNode): string {
  return node.path.join('.');
}

function stateOf(node: AnyStateNode): GraphState {
  const first = node.type === 'compound' ? node.initial.target[0] : undefined;
  return {
    path: pathOf(node),
    key: node.key,
    description: node.description ?? '',
    actors: node.invoke.map(actorOf),
    first: first === undefined ? null : pathOf(first),
    children: Object.values(node.states).map(stateOf),
  };
}

function edgesFrom(node: AnyStateNode, restarts: boolean): GraphEdge[] {
  return [...node.transitions.entries()]
    .filter(([event]) => restarts || event !== 'RESTORED')
    .flatMap(([event, transitions]) =>
      transitions.flatMap(({ target, guard }, index) =>
        (target ?? []).map((to) => ({
          id: `${pathOf(node)}/${event}/${index}`,
          from: pathOf(node),
          to: pathOf(to),
          words: inWords(node, event, guard),
        })),
      ),
    );
}

/** An actor is named for its port; one that has no name there is told by its id. */
function actorOf({ id, src }: AnyStateNode['invoke'][number]): string {
  return typeof src === 'string' ? src : id;
}

const ACTOR_EVENT = /^xstate\.(done|error)\.actor\.(.+)$/;

function inWords(node: AnyStateNode, event: string, guard: unknown): string {
  const [, end, id] = ACTOR_EVENT.exec(event) ?? [];
  const invoked = node.invoke.find((one) => one.id === id);
  const name = invoked === undefined ? event : `${actorOf(invoked)} ${end === 'done' ? 'done' : 'failed'}`;
  const question = nameOfGuard(guard);
  return question === null ? name : `${name} [${question}]`;
}

function nameOfGuard(guard: unknown): string | null {
  if (typeof guard === 'string') return guard;
  if (typeof guard === 'object' && guard !== null && 'type' in guard) return String(guard.type);
  return null;
}
