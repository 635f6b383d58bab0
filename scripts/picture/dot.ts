import { statesIn, type GraphEdge, type GraphState, type MachineGraph } from './machine-graph.js';

/** A graph in Graphviz's language: a cluster for each state that has states in it. */
export function dotOf({ root, edges }: MachineGraph): string {
  const states = new Map(statesIn(root).map((state) => [state.path, state]));
  return [
    'digraph machine {',
    '  compound=true; fontname="Helvetica";',
    '  node [shape=box, style=rounded, fontname="Helvetica"]; edge [fontname="Helvetica", fontsize=10];',
    ...root.children.flatMap((child) => stateLines(child, '  ')),
    ...edges.map((edge) => `  ${edgeLine(edge, states)}`),
    '}',
    '',
  ].join('\n');
}

function stateLines(state: GraphState, indent: string): string[] {
  const label = quoted([state.key, ...state.actors].join('\n'));
  if (state.children.length === 0) return [`${indent}${quoted(state.path)} [label=${label}];`];
  return [
    `${indent}subgraph ${quoted(clusterOf(state.path))} {`,
    `${indent}  label=${label};`,
    ...state.children.flatMap((child) => stateLines(child, `${indent}  `)),
    `${indent}}`,
  ];
}

/** Graphviz draws edges between nodes alone: one of a cluster is drawn from or to a node in it and cut at its border. */
function edgeLine({ from, to, words }: GraphEdge, states: ReadonlyMap<string, GraphState>): string {
  const [tail, head] = [nodeIn(from, states), nodeIn(to, states)];
  const cuts = [
    ...(tail === from || to.startsWith(`${from}.`) ? [] : [`ltail=${quoted(clusterOf(from))}`]),
    ...(head === to || from.startsWith(`${to}.`) ? [] : [`lhead=${quoted(clusterOf(to))}`]),
  ];
  return `${quoted(tail)} -> ${quoted(head)} [${[`label=${quoted(words)}`, ...cuts].join(', ')}];`;
}

function nodeIn(path: string, states: ReadonlyMap<string, GraphState>): string {
  const first = states.get(path)?.first ?? null;
  return first === null ? path : nodeIn(first, states);
}

function clusterOf(path: string): string {
  return `cluster ${path}`;
}

function quoted(text: string): string {
  return JSON.stringify(text);
}
