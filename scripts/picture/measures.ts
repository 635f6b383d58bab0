import type { GraphState } from './machine-graph.js';

/** Height of a line of small words, in units of a pixel, as all of this. */
export const LINE = 16;
export const BOX = { minWidth: 96, nameHeight: 28 } as const;

/** Wide enough for most sans-serif faces at 12 pixels: whose fonts a reader has is not known. */
const CHARACTER = 6.9;

/** The width that small words need. */
export function widthOf(words: string): number {
  return Math.ceil(words.length * CHARACTER);
}

/** The height of a state's name and actors; the whole state's where no state is in it. */
export function heightOfHead({ actors }: GraphState): number {
  return BOX.nameHeight + (actors.length === 0 ? 6 : actors.length * LINE + 6);
}
