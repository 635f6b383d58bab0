import { randomInt } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Random } from '../support/random.js';
import { mutationsIn, type Mutation } from './mutations.js';
import { Trial } from './trial.js';

const HELP = `Usage: npm run mutants -- --count N [--seed S] [--only PATH] [--from K]

Makes the machine, the recovery and the switch wrong in N ways drawn at random (an fsync left out, a check inverted, a guard
that always says yes, a wrong order), one at a time in a copy of the project, and tells which test notices. Takes about a
minute each, and root; exit code 1 where fewer than 90 % are noticed.

Options:
  --count N    how many
  --seed S     repeats the choices of another run
  --only PATH  only sources whose path begins so, for example machines/
  --from K     leaves out the first K choices, to go on with a run that was ended
`;

const SOURCES = ['machines', 'services/deployment', 'services/saved-state'];
const SINGLE_SOURCES = ['services/disk.ts', 'services/effect.ts'];
/** No stage of the tests takes this long, in ms, however slow a mutation makes it. */
const STAGE_MS = 600_000;
const ENOUGH = 0.9;

async function sourcesIn(folder: string): Promise<string[]> {
  const names = await readdir(folder);
  return names.filter((name) => name.endsWith('.ts')).map((name) => join(folder, name));
}

async function everyMutation(only: string): Promise<Mutation[]> {
  const paths = [...(await Promise.all(SOURCES.map(sourcesIn))).flat(), ...SINGLE_SOURCES];
  const chosen = paths.filter((path) => path.startsWith(only)).toSorted();
  const found = await Promise.all(
    chosen.map(async (path) => mutationsIn(path, await readFile(path, 'utf8'))),
  );
  return found.flat();
}

/** One of each kind in turn, so that what there is little of is drawn as often as what there is much of. */
function draw(mutations: readonly Mutation[], count: number, random: Random): Mutation[] {
  const byKind = new Map<string, Mutation[]>();
  for (const mutation of mutations)
    byKind.set(mutation.kind, [...(byKind.get(mutation.kind) ?? []), mutation]);
  const drawn: Mutation[] = [];
  while (drawn.length < count && byKind.size > 0)
    for (const [kind, left] of byKind) {
      if (drawn.length === count) break;
      const mutation = random.oneOf(left);
      drawn.push(mutation);
      left.splice(left.indexOf(mutation), 1);
      if (left.length === 0) byKind.delete(kind);
    }
  return drawn;
}

const oneLine = (text: string) => text.replaceAll(/\s+/g, ' ').slice(0, 100);

async function run(count: number, seed: number, only: string, from: number): Promise<number> {
  const all = await everyMutation(only);
  const drawn = draw(all, count, new Random(seed));
  console.log(`${count} of ${all.length} mutations, seed ${seed}`);
  const trial = await Trial.in(process.cwd());
  let caught = 0;
  try {
    await trial.isSound(STAGE_MS);
    for (const [at, mutation] of drawn.entries()) {
      if (at < from) continue;
      const { caughtBy, seconds } = await trial.of(mutation, STAGE_MS);
      if (caughtBy !== null) caught++;
      const { path, line, kind, was } = mutation;
      const where = `${path}:${line} ${kind}: ${oneLine(was)}`;
      console.log(
        `${at} ${caughtBy === null ? 'SURVIVED' : 'caught'} ${where} (${seconds} s) ${caughtBy ?? ''}`,
      );
    }
  } finally {
    await trial.remove();
  }
  const tried = drawn.length - from;
  console.log(`${caught} of ${tried} caught (${((100 * caught) / tried).toFixed(0)} %), seed ${seed}`);
  return caught >= ENOUGH * tried ? 0 : 1;
}

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '0' },
    seed: { type: 'string' },
    only: { type: 'string', default: '' },
    from: { type: 'string', default: '0' },
    help: { type: 'boolean', default: false },
  },
});
const count = Number(values.count);
if (values.help || !(count > 0)) {
  process.stdout.write(HELP);
  process.exitCode = values.help ? 0 : 2;
} else {
  const seed = Number(values.seed ?? randomInt(2 ** 31));
  process.exitCode = await run(count, seed, values.only, Number(values.from));
}
