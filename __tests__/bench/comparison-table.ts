import type { BenchRun, Comparison } from './bench-run.js';
import { cpuOf, floorOf } from './cycle-rows.js';
import { figure, inMiB, ratios } from './figures.js';
import type { Kind } from './packages.js';

const KINDS: readonly Kind[] = ['1 MB', '27 MB', '27 MB, 3000 files', '270 MB', '270 MB, incompressible'];
const COLUMNS: readonly [string, (cycles: readonly Comparison[]) => string][] = [
  ['CPU, s', (cycles) => figure(seconds(cpuOf(cycles)), '', 2)],
  ['floor’s CPU, s', (cycles) => figure(seconds(floorOf(cycles)), '', 2)],
  ['Python’s CPU, s', (cycles) => figure(seconds(pythonOf(cycles)), '', 2)],
  ['by the floor', (cycles) => figure(ratios(cpuOf(cycles), floorOf(cycles)), '×', 2)],
  ['by Python', (cycles) => figure(ratios(cpuOf(cycles), pythonOf(cycles)), '×', 2)],
  ['time, s', (cycles) => figure(seconds(cycles.map(({ wallMs }) => wallMs)), '', 2)],
  ['floor’s time, s', (cycles) => figure(seconds(cycles.map(({ floor }) => floor.wallMs)), '', 2)],
  ['RssAnon, MiB', (cycles) => figure(inMiB(cycles.map(({ rssAnon }) => rssAnon)), '')],
  ['VmHWM, MiB', (cycles) => figure(inMiB(cycles.map(({ vmHwm }) => vmHwm)), '')],
];

/** A table in Markdown: every package, whole cycle, beside the floor and Python. */
export async function comparisonTable(bench: BenchRun): Promise<string> {
  const head = ['package (bytes; inflated)', ...COLUMNS.map(([name]) => name)];
  const lines = [head, head.map(() => '---')];
  for (const kind of KINDS) {
    const cycles = await bench.compared(kind);
    const { size, contentBytes } = bench.packages.of(kind);
    lines.push([`${kind} (${size}; ${contentBytes})`, ...COLUMNS.map(([, show]) => show(cycles))]);
  }
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function pythonOf(cycles: readonly Comparison[]): number[] {
  return cycles.map(({ python }) => python.cpuMs);
}

function seconds(ms: readonly number[]): number[] {
  return ms.map((value) => value / 1000);
}
