import { statesIn, type GraphEdge, type GraphState, type MachineGraph } from './machine-graph.js';

interface Line {
  /** Path of the state in whose picture the line stands. */
  within: string;
  text: string;
}

/**
 * A graph as the text of a Mermaid stateDiagram-v2. An edge between the insides of two states is drawn between these
 * two, since Mermaid cannot draw it otherwise; its label names the inner state.
 */
export function mermaidOf({ root, edges }: MachineGraph): string {
  const states = new Map(statesIn(root).map((state) => [state.path, state]));
  const lines = edges.map((edge) => lineOf(edge, states));
  return ['stateDiagram-v2', ...body(root, lines, '  '), ''].join('\n');
}

function idOf(path: string): string {
  return path.replaceAll('.', '_');
}

function body(state: GraphState, lines: readonly Line[], indent: string): string[] {
  const inside = state.children.flatMap((child) => {
    const head = `state "${child.key}" as ${idOf(child.path)}`;
    const actors = child.actors.map((actor) => `${idOf(child.path)} : ${actor}`);
    return child.children.length === 0
      ? [head, ...actors].map((line) => indent + line)
      : [`${indent}${head} {`, ...body(child, lines, `${indent}  `), `${indent}}`];
  });
  const own = lines.filter(({ within }) => within === state.path).map(({ text }) => indent + text);
  return [...inside, ...(state.first === null ? [] : [`${indent}[*] --> ${idOf(state.first)}`]), ...own];
}

/** An edge, lifted to the two states that stand side by side in one picture. */
function lineOf({ from, to, words }: GraphEdge, states: ReadonlyMap<string, GraphState>): Line {
  const around = statesAround(from);
  const within = statesAround(to).find((path) => around.includes(path)) ?? from;
  const tail = within === from ? null : childTowards(within, from);
  const head = childTowards(within, to);
  const source = tail === null || tail === from ? '' : `${from.slice(tail.length + 1)}, `;
  const inner = leadsTo(head, to, states) ? '' : ` → ${to.slice(head.length + 1)}`;
  return {
    within,
    text: `${tail === null ? '[*]' : idOf(tail)} --> ${idOf(head)} : ${source}${words}${inner}`,
  };
}

/** The states around a state, innermost first; the whole machine is around itself. */
function statesAround(path: string): string[] {
  if (path === '') return [''];
  const parent = path.split('.').slice(0, -1).join('.');
  return parent === '' ? [''] : [parent, ...statesAround(parent)];
}

function childTowards(above: string, path: string): string {
  const depth = above === '' ? 0 : above.split('.').length;
  return path
    .split('.')
    .slice(0, depth + 1)
    .join('.');
}

/** Whether entering the one state means entering the other. */
function leadsTo(path: string, inner: string, states: ReadonlyMap<string, GraphState>): boolean {
  const first = states.get(path)?.first ?? null;
  return path === inner || (first !== null && leadsTo(first, inner, states));
}
