import { STAGES } from '../machines/stage.js';
import { openClient, type Client } from './calling/client.js';
import { CALLER_HELP, CALLER_OPTIONS, EXIT, parseWord, printHelp } from './command.js';
import { giveOrder, showUntilGoal, wordIn } from './calling/give-order.js';

const HELP = `Usage: tope-updater update [VERSION] [--wait] [--json] [--updater URL]

Installs the package that is ready (see tope-updater download). VERSION may be left out: then it is the one that is
ready.

Options:
  --wait         show the update and end when it has ended
  --json         print the answer, and what --wait shows, as lines of JSON
${CALLER_HELP}
Exit codes: 0 ordered (with --wait: installed), 1 refused, failed or no answer, 2 wrong usage, 78 bad configuration
`;

/** Orders the installation of what is ready. Throws Refused, NoAnswer or NoUpdater. */
export async function updateCommand(args: string[]): Promise<number> {
  const { values, word } = parseWord(args, { ...CALLER_OPTIONS, wait: { type: 'boolean' } });
  if (values.help === true) return printHelp(HELP);
  const asJson = values.json === true;
  const client = await openClient(values.updater);
  const version = word ?? (await readyVersion(client));
  const answer = await giveOrder(client, '/update', { version }, asJson);
  if (!asJson) process.stdout.write(`${version}: ${wordIn(answer, 'status')}\n`);
  return values.wait === true ? showUntilGoal(client, STAGES.done, asJson) : EXIT.done;
}

async function readyVersion(client: Client): Promise<string> {
  const { data } = await client.get('/state');
  const { stage, context }: { stage?: unknown; context?: unknown } = { ...asObject(data) };
  const { order }: { order?: unknown } = { ...asObject(context) };
  const { version }: { version?: unknown } = { ...asObject(order) };
  if (stage === STAGES.ready && typeof version === 'string') return version;
  throw new Error(`no package is ready to be installed (stage ${String(stage)}); see tope-updater download`);
}

function asObject(value: unknown): object {
  return typeof value === 'object' && value !== null ? value : {};
}
