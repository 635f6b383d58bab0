import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { parseArgs } from 'node:util';

const HELP = `Usage: npm run fuzz -- --minutes N [--seed S]

Makes hostile packages and requests at random for N minutes and looks whether one of them breaks a promise: a crash, a
hang, a file outside, wrong bytes, an order that nobody gave. What breaks one is made as small as it gets, and told with
the seed that repeats it.

Options:
  --minutes N  how long, shared by the properties
  --seed S     repeats the choices of another run
`;

/** The properties in __tests__/fuzz/, each of which gets its share of the time. */
const PROPERTIES = 5;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string' },
    seed: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

async function run(minutes: number, seed: number): Promise<number> {
  process.stdout.write(`${minutes} minutes with seed ${seed}\n`);
  const jest = [
    '--experimental-vm-modules',
    '--disable-warning=ExperimentalWarning',
    'node_modules/jest/bin/jest.js',
  ];
  const child = spawn(process.execPath, [...jest, '--runInBand', '--verbose', 'dist/__tests__/fuzz/'], {
    stdio: 'inherit',
    env: { ...process.env, FUZZ_MINUTES: String(minutes / PROPERTIES), FUZZ_SEED: String(seed) },
  });
  await once(child, 'exit');
  process.stdout.write(`that was seed ${seed}\n`);
  return child.exitCode ?? 1;
}

const minutes = Number(values.minutes ?? 0);
if (values.help || !(minutes > 0)) {
  process.stdout.write(HELP);
  process.exitCode = values.help ? 0 : 2;
} else {
  process.exitCode = await run(minutes, Number(values.seed ?? randomInt(2 ** 31)));
}
