import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { releasedProgram } from '../support/released-program.js';
import { BenchRun } from './bench-run.js';
import { MIB } from './figures.js';
import { soakRows } from './process-rows.js';

const HELP = `Usage: npm run soak [-- --cycles N]

Takes one updater, the packed release, through cycles of 1 MB and tells what it holds after each, its garbage collected.
Exit code 1 where memory or open files grow.

Options:
  --cycles N  how many (100)
`;

const { values } = parseArgs({
  options: { cycles: { type: 'string', default: '100' }, help: { type: 'boolean', default: false } },
});

async function run(cycles: number): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'tope-soak-'));
  try {
    const bench = new BenchRun(await releasedProgram(folder), folder, 1);
    const rows = await soakRows(bench, cycles, (cycle, { rssAnon, openFiles }) => {
      if (cycle % 10 === 0)
        process.stdout.write(`${cycle}: RssAnon ${(rssAnon / MIB).toFixed(1)} MiB, ${openFiles} files\n`);
    });
    for (const { what, seen, target, met } of rows)
      process.stdout.write(`${met === true ? 'met   ' : 'MISSED'} ${what}: ${seen}; wanted: ${target}\n`);
    return rows.every(({ met }) => met) ? 0 : 1;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const cycles = Number(values.cycles);
if (values.help || !Number.isInteger(cycles) || cycles < 4) {
  process.stdout.write(HELP);
  process.exitCode = values.help ? 0 : 2;
} else process.exitCode = await run(cycles);
