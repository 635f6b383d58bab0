import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { runCampaign } from './campaign.js';
import { isLostSyncName, LOST_SYNCS, type LostSyncName } from './lost-syncs.js';
import { summaryOf } from './summary.js';

const HELP = `Usage: npm run powercut -- [OPTIONS]

Cuts the power of a device again and again, at random instants of orders, so that all is lost that was not synced, and
checks what the updater makes of it. Needs root, ext4 and loop devices.

Options:
  --rounds N      how many cuts (200)
  --seed S        a whole number that repeats the choices of a run (random)
  --control NAME  takes one kind of sync out: the campaign must find a broken device, and ends there
                  (${Object.keys(LOST_SYNCS).join(', ')})
  --help          print this

Exit codes: 0 every promise was kept (with --control: one was broken), 1 else, 2 wrong usage
`;

/** In a mount namespace nothing stays mounted, and in a PID namespace nothing runs on, however the campaign ends. */
const APART = ['--mount', '--propagation', 'private', '--pid', '--fork', '--kill-child', '--mount-proc'];

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '200' },
      seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
      control: { type: 'string' },
      inside: { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  const { inside, control, help } = values;
  const [rounds, seed] = [Number(values.rounds), Number(values.seed)];
  const isKnown = control === undefined || isLostSyncName(control);
  if (help === true || !isKnown || !Number.isInteger(rounds) || !Number.isInteger(seed)) {
    process.stdout.write(HELP);
    return help === true ? 0 : 2;
  }
  if (inside === undefined)
    return runApart([
      '--rounds',
      String(rounds),
      '--seed',
      String(seed),
      ...(control === undefined ? [] : ['--control', control]),
    ]);
  return campaign(inside, { rounds, seed, lose: control ?? null });
}

/** Runs this program again in namespaces of its own. */
async function runApart(args: readonly string[]): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'tope-powercut-'));
  const self = fileURLToPath(import.meta.url);
  const command = [...APART, process.execPath, self, ...args, '--inside', folder];
  // It ends when its stdin does, and so with this process, however that ends.
  const child = spawn('unshare', command, { stdio: ['pipe', 'inherit', 'inherit'] });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.stdin.end());
  try {
    await once(child, 'exit');
    return child.exitCode ?? 1;
  } finally {
    rmdirSync(folder);
  }
}

async function campaign(
  folder: string,
  options: { rounds: number; seed: number; lose: LostSyncName | null },
): Promise<number> {
  process.stdin.once('end', () => process.exit(1)).resume();
  const say = (line: string) => process.stdout.write(`${line}\n`);
  const { rounds, seed, lose } = options;
  say(`${rounds} rounds, seed ${seed}${lose === null ? '' : `, without the sync of ${lose}`}`);
  const reports = await runCampaign(folder, { ...options, say });
  for (const line of summaryOf(reports)) say(line);
  const isBroken = reports.some(({ problems }) => problems.length > 0);
  if (lose === null) return isBroken ? 1 : 0;
  say(isBroken ? `red without the sync of ${lose}, as it must be` : `NOT RED without the sync of ${lose}`);
  return isBroken ? 0 : 1;
}

// What a campaign that was given up still waits for keeps nobody waiting.
process.exit(await main());
