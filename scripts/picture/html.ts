import { statesIn, type MachineGraph } from './machine-graph.js';

const PAGE = `
:root { color-scheme: light dark; }
body { margin: 2rem auto; max-width: 90rem; padding: 0 1rem; font: 1rem/1.5 system-ui, sans-serif; }
svg { max-width: 100%; height: auto; }
table { border-collapse: collapse; width: 100%; font-size: .875rem; }
th, td { text-align: left; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid light-dark(#d8dee6, #353d49); vertical-align: top; }
`;

/** One page that needs nothing beside itself: the picture, and states and transitions as tables. */
export function htmlOf(graph: MachineGraph, { title, svg }: { title: string; svg: string }): string {
  const states = statesIn(graph.root)
    .filter(({ path }) => path !== '')
    .map(({ path, actors, description }) => [path, actors.join(', '), description]);
  const edges = graph.edges.map(({ from, words, to }) => [from, words, to]);
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title>
<style>${PAGE}</style>
<h1>${escaped(title)}</h1>
${svg.trim()}
<h2>States</h2>
${table(['State', 'Actors', 'What it is for'], states)}
<h2>Transitions, in the order in which they are tried</h2>
${table(['From', 'Event and guard', 'To'], edges)}
`;
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  return [
    `<table><thead><tr>${heads.map((head) => `<th scope="col">${head}</th>`).join('')}</tr></thead><tbody>`,
    ...rows.map((cells) => `<tr>${cells.map((cell) => `<td>${escaped(cell)}</td>`).join('')}</tr>`),
    '</tbody></table>',
  ].join('\n');
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
