import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { releasedProgram } from '../support/released-program.js';
import { cutsAndKills, limited, slowLink, type Finding } from './measurements.js';

const HELP = `Usage: npm run slow-link [-- --only NAME] [--megabytes N]

Downloads with the real updater over slow and broken links on this machine, and tells what was seen beside what is wanted.
Takes about four minutes; exit code 1 where something is not as wanted.

Options:
  --only NAME      one of: link (10 Mbit/s), cuts (20 random cuts and kills), limit (TOPE_MAX_RATE)
  --megabytes N    the size of the package (100; 30 for limit)
`;

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    megabytes: { type: 'string', default: '100' },
    help: { type: 'boolean', default: false },
  },
});

const bytes = Number(values.megabytes) * 1_000_000;

const MEASUREMENTS: Readonly<Record<string, (program: string) => Promise<Finding[]>>> = {
  link: (program) => slowLink(program, bytes, 10),
  cuts: (program) => cutsAndKills(program, bytes, 20, 20),
  limit: (program) => limited(program, 0.3 * bytes, 1_000_000),
};

async function measure(program: string, names: readonly string[]): Promise<boolean> {
  let isAllMet = true;
  for (const name of names) {
    for (const { what, seen, target, met } of (await MEASUREMENTS[name]?.(program)) ?? []) {
      isAllMet &&= met;
      process.stdout.write(`${met ? 'met   ' : 'MISSED'} ${name}: ${what}: ${seen}; wanted: ${target}\n`);
    }
  }
  return isAllMet;
}

async function run(): Promise<number> {
  const names = Object.keys(MEASUREMENTS).filter((name) => values.only === '' || values.only === name);
  if (values.help || names.length === 0 || !(bytes > 0)) {
    process.stdout.write(HELP);
    return values.help ? 0 : 2;
  }
  const folder = await mkdtemp(join(tmpdir(), 'tope-slow-link-'));
  try {
    return (await measure(await releasedProgram(folder), names)) ? 0 : 1;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

process.exitCode = await run();
