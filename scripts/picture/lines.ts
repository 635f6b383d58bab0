import type { GraphEdge, MachineGraph } from './machine-graph.js';

/** All transitions from one state to another: one line of the picture. */
export interface Line {
  id: string;
  from: string;
  to: string;
  edges: readonly GraphEdge[];
  /** Ends at words of its own, which name the state that it leads to. */
  isStub: boolean;
}

/** Where more lines than this lead to one state they would hide the rest. */
const MOST_LINES = 6;

/**
 * The lines of a picture. One that leads back to an earlier state of the outermost ones, or to a state that many lead
 * to, the last of these excepted, is a stub: drawn in full, such lines would hide the way that an update takes.
 */
export function linesOf({ root, edges }: MachineGraph): Line[] {
  const order = root.children.map(({ path }) => path);
  const rank = (path: string) => order.indexOf(path.split('.')[0] ?? '');
  const pairs = [...new Set(edges.map(pairOf))];
  return pairs.map((pair, index) => {
    const between = edges.filter((edge) => pairOf(edge) === pair);
    const [from = '', to = ''] = pair.split(' ');
    const leadingThere = pairs.filter((other) => other.endsWith(` ${to}`) && other !== `${to} ${to}`);
    const isCrowded = leadingThere.length > MOST_LINES && pair !== leadingThere.at(-1);
    const isStub = from !== to && (isCrowded || rank(to) < rank(from));
    const edgesOfLine = isStub
      ? between.map((edge) => ({ ...edge, words: `${edge.words} → ${to}` }))
      : between;
    return { id: `line ${index}`, from, to, isStub, edges: edgesOfLine };
  });
}

function pairOf({ from, to }: GraphEdge): string {
  return `${from} ${to}`;
}
