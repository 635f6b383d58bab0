import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { runRandomRounds } from './random-rounds.js';
import { runStepsCampaign, thorough, unreached } from './steps-campaign.js';

const HELP = `Usage: npm run crash -- --rounds N [--seed S]
       npm run crash -- --steps [--only SCENARIO]

Kills the updater with SIGKILL, again and again, on devices in temporary folders, and looks whether everything is as it
must be afterwards.

Options:
  --rounds N       N random orders, each with up to three kills at random instants, of \`recover\` too
  --seed S         repeats the choices of another run
  --steps          kills at every named step, at each of its moments, the first and the last time
  --only SCENARIO  with --steps: one scenario (for example 'failed update')
  --devices N      so many devices at once (2)
`;

const { values } = parseArgs({
  options: {
    rounds: { type: 'string' },
    seed: { type: 'string' },
    steps: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    devices: { type: 'string', default: '2' },
    help: { type: 'boolean', default: false },
  },
});

const began = performance.now();
function tell(line: string): void {
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  process.stdout.write(`${seconds.padStart(7)} ${line}\n`);
}

function counted(counts: ReadonlyMap<string, number>): string {
  return [...counts].map(([what, count]) => `${what} ${count}`).join(', ');
}

async function random(rounds: number, seed: number): Promise<string[]> {
  tell(`${rounds} rounds with seed ${seed}`);
  const report = await runRandomRounds({ rounds, seed, devices: Number(values.devices), tell });
  const about = (word: string) => report.problems.filter((line) => line.includes(`: ${word}: `)).length;
  tell(`${report.rounds} rounds, ${report.kills} kills of the updater, ${report.recoverKills} of recover`);
  tell(`orders ended in: ${counted(report.endings)}`);
  tell(`device-api had last heard, when a kill came: ${counted(report.killedIn)}`);
  tell(`the services' data was changed ${report.dataChanges} times`);
  tell(
    `${about('mixed')} mixed, ${about('stuck')} stuck, ${about('lost')} lost, ${report.problems.length} problems in all`,
  );
  return report.problems;
}

async function steps(): Promise<string[]> {
  const { devices, only } = values;
  const report = await runStepsCampaign(thorough, { only, devices: Number(devices), tell });
  tell(
    `${report.kills} kills, ${report.problems.length} problems; not reached a second time: ${report.missed.length}`,
  );
  const missing = only === '' ? unreached(report) : [];
  return [...report.problems, ...missing.map((name) => `no scenario reaches ${name}`)];
}

async function run(): Promise<number> {
  const rounds = Number(values.rounds ?? 0);
  if (values.help || (!values.steps && !(rounds > 0))) {
    process.stdout.write(HELP);
    return values.help ? 0 : 2;
  }
  const problems = values.steps
    ? await steps()
    : await random(rounds, Number(values.seed ?? randomInt(2 ** 31)));
  for (const problem of problems) tell(problem);
  return problems.length === 0 ? 0 : 1;
}

process.exitCode = await run();
