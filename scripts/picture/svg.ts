import type { GraphEdge } from './machine-graph.js';
import type { LaidGraph, LaidLine, Point } from './lay-out.js';
import { BOX, LINE } from './measures.js';

export const PICTURE_TITLE = 'The update machine';

const RADIUS = 8;
const TIP =
  '<marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="10" markerHeight="10" orient="auto" ' +
  'markerUnits="userSpaceOnUse">' +
  '<path class="tip" d="M0 .5 8 4 0 7.5z"/></marker>';

/**
 * Draws a graph that is laid out. Each state carries `data-state` (its path), each transition `data-edge` (its id), each
 * line `data-edges`: a page that shows the picture finds them by these. It brings no colours: they are a style's.
 */
export function svgOf({ width, height, boxes, lines }: LaidGraph): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" class="machine" role="img" aria-label="${PICTURE_TITLE}" ` +
      `viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">`,
    `<defs>${TIP}</defs>`,
    ...boxes.map(boxOf),
    ...lines.map(lineOf),
    ...lines.flatMap(({ words, isStub }) => words.map((word) => wordOf(word, isStub))),
    '</svg>',
    '',
  ].join('\n');
}

/** The picture as a file of its own, which brings its style. */
export function withStyle(svg: string, style: string): string {
  return svg.replace('<defs>', () => `<style>\n${style.trim()}\n</style>\n<defs>`);
}

function boxOf({ state, place, depth }: LaidGraph['boxes'][number]): string {
  const { x, y } = place;
  const kind = state.children.length === 0 ? 'simple' : 'compound';
  const middle = round(x + place.width / 2);
  const about = state.description === '' ? '' : `<title>${escaped(state.description)}</title>`;
  const actors = state.actors.map((actor, index) => {
    const line = round(y + BOX.nameHeight + 8 + index * LINE);
    return `<text class="actor" x="${middle}" y="${line}">${escaped(actor)}</text>`;
  });
  return (
    `<g class="state ${kind} depth-${depth}" data-state="${state.path}">${about}${rectangle(place, RADIUS)}` +
    `<text class="name" x="${middle}" y="${round(y + 20)}">${escaped(state.key)}</text>${actors.join('')}</g>`
  );
}

function lineOf({ points, words, isStub }: LaidLine): string {
  const edges = words.map(({ edge }) => edge.id).join(' ');
  const end = isStub ? '' : ' marker-end="url(#tip)"';
  return `<path class="line" data-edges="${edges}" d="${roundedPath(points)}"${end}/>`;
}

function wordOf({ edge, place }: LaidLine['words'][number], isStub: boolean): string {
  const middle = round(place.x + place.width / 2);
  return (
    `<g class="edge${isStub ? ' stub' : ''}" data-edge="${edge.id}">${rectangle(place, 4)}` +
    `<text x="${middle}" y="${round(place.y + 12)}">${edgeText(edge)}</text></g>`
  );
}

function rectangle({ x, y, width, height }: LaidGraph['boxes'][number]['place'], radius: number): string {
  return `<rect x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}" rx="${radius}"/>`;
}

/** The guard, in its brackets, is told apart from the event. */
function edgeText({ words }: GraphEdge): string {
  return escaped(words).replace(/\[.*\]/, '<tspan class="guard">$&</tspan>');
}

/** A line along the points whose corners are rounded. */
function roundedPath(points: readonly Point[]): string {
  return points
    .map((point, index) => {
      const before = points[index - 1];
      const after = points[index + 1];
      if (before === undefined) return `M${pair(point)}`;
      if (after === undefined) return `L${pair(point)}`;
      return `L${pair(towards(point, before))}Q${pair(point)} ${pair(towards(point, after))}`;
    })
    .join('');
}

/** The point on the way to another one where a corner begins. */
function towards(corner: Point, other: Point): Point {
  const length = Math.hypot(other.x - corner.x, other.y - corner.y);
  const part = length === 0 ? 0 : Math.min(RADIUS, length / 2) / length;
  return { x: corner.x + (other.x - corner.x) * part, y: corner.y + (other.y - corner.y) * part };
}

function pair({ x, y }: Point): string {
  return `${round(x)} ${round(y)}`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
