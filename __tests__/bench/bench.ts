import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { releasedProgram } from '../support/released-program.js';
import { BenchRun } from './bench-run.js';
import { comparisonTable } from './comparison-table.js';
import { memoryRows, processorRows, progressRows, writtenRows } from './cycle-rows.js';
import type { Row } from './figures.js';
import { cutRows, slowLinkRows } from './link-rows.js';
import { reportRows, soakRows, startRows } from './process-rows.js';
import { systemdRows } from './systemd-rows.js';
import { writeBenchmarks } from './write-benchmarks.js';

/** In the order of the table. */
const MEASUREMENTS: Readonly<Record<string, (bench: BenchRun) => Promise<Row[]>>> = {
  memory: memoryRows,
  soak: (bench) => soakRows(bench, 20),
  cpu: processorRows,
  progress: progressRows,
  reports: reportRows,
  written: writtenRows,
  cuts: cutRows,
  start: startRows,
  slow: slowLinkRows,
};

const HELP = `Usage: npm run bench [-- --only NAME[,NAME]] [--runs N] [--systemd] [--no-write]

Packs the release, measures it, and writes docs/benchmarks.md. Takes about ten minutes; exit code 1 where a target is missed.

Options:
  --only NAMES   some of: ${Object.keys(MEASUREMENTS).join(', ')}, systemd; nothing is written then
  --runs N       how often each figure is taken (3)
  --systemd      also what needs units and a memory limit: root, overlayfs, systemd
  --no-write     only tell
`;

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    runs: { type: 'string', default: '3' },
    systemd: { type: 'boolean', default: false },
    'no-write': { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

async function run(): Promise<number> {
  const wanted = values.only === '' ? Object.keys(MEASUREMENTS) : values.only.split(',');
  if (values.systemd) wanted.push('systemd');
  const known: typeof MEASUREMENTS = { ...MEASUREMENTS, systemd: ({ runs }) => systemdRows(runs) };
  const runs = Number(values.runs);
  if (values.help || !wanted.every((name) => Object.hasOwn(known, name)) || !(runs > 0)) {
    process.stdout.write(HELP);
    return values.help ? 0 : 2;
  }
  const loadBefore = loadavg()[0] ?? 0;
  const folder = await mkdtemp(join(tmpdir(), 'tope-bench-'));
  try {
    const bench = new BenchRun(await releasedProgram(folder), folder, runs);
    const rows = new Map<string, readonly Row[]>();
    for (const name of wanted) rows.set(name, told((await known[name]?.(bench)) ?? []));
    if (values.only === '' && !values['no-write']) {
      const command = `npm run bench${values.systemd ? ' -- --systemd' : ''}`;
      writeBenchmarks({ rows, comparison: await comparisonTable(bench), runs, loadBefore, command });
    }
    return [...rows.values()].flat().some(({ met }) => met === false) ? 1 : 0;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function told(rows: readonly Row[]): readonly Row[] {
  for (const { what, seen, target, met } of rows) {
    const verdict = met === null ? '      ' : met ? 'met   ' : 'MISSED';
    process.stdout.write(`${verdict} ${what}: ${seen}; wanted: ${target}\n`);
  }
  return rows;
}

process.exitCode = await run();
