import type { AnyStateNode } from 'xstate';

interface Edge {
  /** The state in whose picture the edge stands. */
  within: AnyStateNode;
  line: string;
}

/**
 * The machine as the text of a Mermaid stateDiagram-v2: states with the actors they invoke, and every transition that
 * leads somewhere, with its event and guard. Always the same text for the same machine. An edge between the insides of
 * two states is drawn between these two, since Mermaid cannot draw it otherwise; its label names the inner state.
 */
export function mermaidOf(machine: { root: AnyStateNode }, { restarts = false } = {}): string {
  const edges = withStatesIn(machine.root).flatMap((node) => edgesFrom(node, restarts));
  return ['stateDiagram-v2', ...body(machine.root, edges, '  '), ''].join('\n');
}

function withStatesIn(node: AnyStateNode): AnyStateNode[] {
  return [node, ...childrenOf(node).flatMap(withStatesIn)];
}

function childrenOf(node: AnyStateNode): AnyStateNode[] {
  return Object.values(node.states);
}

function idOf(node: AnyStateNode): string {
  return node.path.join('_');
}

function body(node: AnyStateNode, edges: Edge[], indent: string): string[] {
  const lines = childrenOf(node).flatMap((child) => {
    const head = `state "${child.key}" as ${idOf(child)}`;
    const actors = child.invoke.map((one) => `${idOf(child)} : ${actorOf(one)}`);
    return childrenOf(child).length === 0
      ? [head, ...actors].map((line) => indent + line)
      : [`${indent}${head} {`, ...body(child, edges, `${indent}  `), `${indent}}`];
  });
  const first = firstStateIn(node);
  const own = edges.filter(({ within }) => within === node).map(({ line }) => indent + line);
  return [...lines, ...(first === null ? [] : [`${indent}[*] --> ${idOf(first)}`]), ...own];
}

function edgesFrom(node: AnyStateNode, restarts: boolean): Edge[] {
  return [...node.transitions.entries()]
    .filter(([event]) => restarts || event !== 'RESTORED')
    .flatMap(([event, transitions]) =>
      transitions.flatMap(({ target, guard }) =>
        (target ?? []).map((to) => edge(node, to, labelOf(node, event, guard))),
      ),
    );
}

/** An edge, lifted to the two states that stand side by side in one picture. */
function edge(from: AnyStateNode, to: AnyStateNode, label: string): Edge {
  const around = statesAround(from);
  const within = statesAround(to).find((node) => around.includes(node)) ?? from;
  const tail = within === from ? null : childTowards(within, from);
  const head = childTowards(within, to);
  const source = tail === null || tail === from ? '' : `${from.path.slice(tail.path.length).join('.')}, `;
  const inner = leadsTo(head, to) ? '' : ` → ${to.path.slice(head.path.length).join('.')}`;
  const line = `${tail === null ? '[*]' : idOf(tail)} --> ${idOf(head)} : ${source}${label}${inner}`;
  return { within, line };
}

/** The states around a state, innermost first; the whole machine is around itself. */
function statesAround(node: AnyStateNode): AnyStateNode[] {
  const { parent } = node;
  if (parent === undefined) return [node];
  return [parent, ...(parent.parent === undefined ? [] : statesAround(parent))];
}

function childTowards(above: AnyStateNode, node: AnyStateNode): AnyStateNode {
  return node.parent === undefined || node.parent === above ? node : childTowards(above, node.parent);
}

/** Whether entering the one state means entering the other. */
function leadsTo(node: AnyStateNode, inner: AnyStateNode): boolean {
  const first = firstStateIn(node);
  return node === inner || (first !== null && leadsTo(first, inner));
}

function firstStateIn(node: AnyStateNode): AnyStateNode | null {
  return node.type === 'compound' ? (node.initial.target[0] ?? null) : null;
}

/** An actor is named for its port; one that has no name there is told by its id. */
function actorOf({ id, src }: AnyStateNode['invoke'][number]): string {
  return typeof src === 'string' ? src : id;
}

const ACTOR_EVENT = /^xstate\.(done|error)\.actor\.(.+)$/;

function labelOf(node: AnyStateNode, event: string, guard: unknown): string {
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
