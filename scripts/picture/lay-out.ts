import elk, { type ElkEdgeSection, type ElkExtendedEdge, type ElkNode } from 'elkjs/lib/elk.bundled.js';
import { linesOf, type Line } from './lines.js';
import type { GraphEdge, GraphState, MachineGraph } from './machine-graph.js';
import { BOX, heightOfHead, LINE, widthOf } from './measures.js';

export interface Point {
  x: number;
  y: number;
}

export interface Rectangle extends Point {
  width: number;
  height: number;
}

/** A line of the picture: all transitions between the same two states. */
export interface LaidLine {
  points: readonly Point[];
  /** Where the words of its transitions stand, in the order of the definition. */
  words: { edge: GraphEdge; place: Rectangle }[];
  /** Whether it ends at its words, which name the state that it leads to. */
  isStub: boolean;
}

/** A graph whose boxes and lines have places, in units of a pixel. */
export interface LaidGraph {
  width: number;
  height: number;
  boxes: { state: GraphState; place: Rectangle; depth: number }[];
  lines: LaidLine[];
}

const LAYOUT = {
  'elk.algorithm': 'layered',
  'elk.direction': 'DOWN',
  'elk.hierarchyHandling': 'INCLUDE_CHILDREN',
  'elk.layered.considerModelOrder.strategy': 'NODES_AND_EDGES',
  'elk.layered.cycleBreaking.strategy': 'MODEL_ORDER',
  'elk.layered.edgeLabels.centerLabelPlacementStrategy': 'SPACE_EFFICIENT_LAYER',
  'elk.layered.nodePlacement.strategy': 'LINEAR_SEGMENTS',
  'elk.padding': '[top=8,left=8,bottom=8,right=8]',
  'elk.spacing.nodeNode': '20',
  'elk.spacing.edgeNode': '12',
  'elk.spacing.edgeEdge': '10',
  'elk.layered.spacing.nodeNodeBetweenLayers': '12',
  'elk.layered.spacing.edgeNodeBetweenLayers': '8',
  'elk.layered.spacing.edgeEdgeBetweenLayers': '8',
};

/**
 * Finds a place for every state, transition and word, by the Eclipse Layout Kernel. The same graph is always laid out
 * the same way. For workstations: a device gets the finished picture.
 */
export async function layOut(graph: MachineGraph): Promise<LaidGraph> {
  const { root } = graph;
  const lines = linesOf(graph);
  const laid = await new elk.default().layout({
    ...nodeOf(root, lines),
    layoutOptions: LAYOUT,
    edges: lines.map(elkEdge),
  });
  const places = placesIn(laid, { x: 0, y: 0 });
  return {
    width: Math.ceil(laid.width ?? 0),
    height: Math.ceil(laid.height ?? 0),
    boxes: boxesOf(root, places, 0),
    lines: lines.map((line, index) => laidLine(line, laid.edges[index], places)),
  };
}

function elkEdge({ id, from, to, edges, isStub }: Line): ElkExtendedEdge {
  const inline = { 'elk.edgeLabels.inline': 'true' };
  const words = { id: `words of ${id}`, text: id, ...sizeOfWords(edges), layoutOptions: inline };
  return { id, sources: [from], targets: [isStub ? id : to], ...(isStub ? {} : { labels: [words] }) };
}

function sizeOfWords(edges: readonly GraphEdge[]) {
  return { width: Math.max(...edges.map(({ words }) => widthOf(words))) + 12, height: edges.length * LINE };
}

function nodeOf(state: GraphState, lines: readonly Line[]): ElkNode {
  const id = state.path;
  const head = heightOfHead(state);
  const width = Math.max(BOX.minWidth, ...[state.key, ...state.actors].map((words) => widthOf(words) + 28));
  if (state.children.length === 0) return { id, width, height: head };
  const inside = state.children.map(({ path }) => path);
  const stubs = lines.filter(({ isStub, from }) => isStub && inside.includes(from));
  return {
    id,
    layoutOptions: { 'elk.padding': `[top=${head + 4},left=14,bottom=14,right=14]` },
    children: [
      ...state.children.map((child) => nodeOf(child, lines)),
      ...stubs.map((line) => ({ id: line.id, ...sizeOfWords(line.edges) })),
    ],
  };
}

function placesIn(node: ElkNode, origin: Point, places = new Map<string, Rectangle>()) {
  const { x = 0, y = 0, width = 0, height = 0 } = node;
  const place = { x: origin.x + x, y: origin.y + y, width, height };
  places.set(node.id, place);
  for (const child of node.children ?? []) placesIn(child, place, places);
  return places;
}

function boxesOf(
  state: GraphState,
  places: ReadonlyMap<string, Rectangle>,
  depth: number,
): LaidGraph['boxes'] {
  const place = places.get(state.path);
  const own = place === undefined || state.path === '' ? [] : [{ state, place, depth }];
  return [...own, ...state.children.flatMap((child) => boxesOf(child, places, depth + 1))];
}

/** Points and words of an edge are told from the corner of the box that holds both its ends. */
function laidLine(
  { id, edges, isStub }: Line,
  laid: ElkExtendedEdge | undefined,
  places: ReadonlyMap<string, Rectangle>,
): LaidLine {
  const container = laid !== undefined && 'container' in laid ? laid.container : '';
  const origin = places.get(container) ?? { x: 0, y: 0 };
  const move = ({ x, y }: Point): Point => ({ x: x + origin.x, y: y + origin.y });
  const { x = 0, y = 0, width = 0 } = laid?.labels?.[0] ?? {};
  const { x: left, y: top } = isStub ? (places.get(id) ?? origin) : move({ x, y });
  const wide = isStub ? sizeOfWords(edges).width : width;
  return {
    isStub,
    points: (laid?.sections ?? []).flatMap(pointsOf).map(move),
    words: edges.map((edge, index) => ({
      edge,
      place: { x: left, y: top + index * LINE, width: wide, height: LINE },
    })),
  };
}

function pointsOf({ startPoint, bendPoints = [], endPoint }: ElkEdgeSection): Point[] {
  return [startPoint, ...bendPoints, endPoint];
}
