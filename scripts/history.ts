import { printable } from '../services/log/log-line.js';
import { askHistory, type StoryAnswer } from './calling/answers.js';
import { openClient } from './calling/client.js';
import { CALLER_HELP, CALLER_OPTIONS, EXIT, parseOptions, printHelp, UsageError } from './command.js';

const HELP = `Usage: tope-updater history [--last N] [--json] [--updater URL]

Prints the story of each order, the newest last: when, from which version to which, how it ended, how long it took
(and was in each stage), what was fetched, and who ordered it.

Options:
  --last N       only the newest N
  --json         print each story as a line of JSON, for scripts
${CALLER_HELP}
Exit codes: 0 answered, 1 no answer, 2 wrong usage, 78 bad configuration
`;

/** Prints the history of a running updater. Throws where none answers. */
export async function historyCommand(args: string[]): Promise<number> {
  const { help, json, updater, last } = parseOptions(args, { ...CALLER_OPTIONS, last: { type: 'string' } });
  if (help === true) return printHelp(HELP);
  if (last !== undefined && !/^[1-9]\d{0,5}$/.test(last))
    throw new UsageError(`--last is ${JSON.stringify(last)}: expected a number from 1`);
  const stories = await askHistory(await openClient(updater));
  const shown = last === undefined ? stories : stories.slice(-Number(last));
  if (json === true) for (const story of shown) process.stdout.write(`${JSON.stringify(story)}\n`);
  else if (shown.length === 0) process.stdout.write('no order was given yet\n');
  else for (const story of shown) process.stdout.write(inWords(story));
  return EXIT.done;
}

function inWords(story: StoryAnswer): string {
  const { time, startedAt, order = 'order', from, to, outcome, error, notices = [] } = story;
  const versions = from === null || from === undefined ? `to ${to ?? '?'}` : `${from} → ${to ?? '?'}`;
  const lines = [
    `${startedAt ?? time ?? '?'}  ${order} ${versions}: ${outcome ?? 'under way'}${detailsOf(story)}`,
    ...stagesOf(story.stageMs),
    ...(error === null || error === undefined ? [] : [`  error: ${error}`]),
    ...notices.map((notice) => `  notice: ${notice}`),
  ];
  return lines.map((line) => `${printable(line)}\n`).join('');
}

/** One line, or none where nothing is known of the stages. */
function stagesOf(stageMs: unknown): string[] {
  const times = Object.entries<unknown>(typeof stageMs === 'object' ? { ...stageMs } : {});
  const words = times.flatMap(([stage, ms]) => (typeof ms === 'number' ? [`${stage} ${inSeconds(ms)}`] : []));
  return words.length === 0 ? [] : [`  stages: ${words.join(', ')}`];
}

function inSeconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

function detailsOf({ ms, bytesFetched = 0, requests = 0, restarts = 0, orders = [] }: StoryAnswer): string {
  const details = [
    ms === null || ms === undefined ? '' : inSeconds(ms),
    requests === 0 ? '' : `${bytesFetched} bytes fetched in ${counted(requests, 'request')}`,
    restarts === 0 ? '' : `${counted(restarts, 'restart')} in between`,
    orders.map(({ order, by }) => `${order} by ${by}`).join(', '),
  ];
  const told = details.filter((detail) => detail !== '');
  return told.length === 0 ? '' : ` (${told.join('; ')})`;
}
