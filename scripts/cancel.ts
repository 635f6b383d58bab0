import { openClient } from './calling/client.js';
import { CALLER_HELP, CALLER_OPTIONS, EXIT, parseOptions, printHelp } from './command.js';
import { giveOrder } from './calling/give-order.js';

const HELP = `Usage: tope-updater cancel [--json] [--updater URL]

Stops a download, or drops a package that is ready. An installation that has begun cannot be cancelled.

Options:
  --json         print the answer as JSON
${CALLER_HELP}
Exit codes: 0 cancelled or nothing to cancel, 1 refused or no answer, 2 wrong usage, 78 bad configuration
`;

/** Cancels a download. Throws Refused, NoAnswer or NoUpdater. */
export async function cancelCommand(args: string[]): Promise<number> {
  const { help, json, updater } = parseOptions(args, CALLER_OPTIONS);
  if (help === true) return printHelp(HELP);
  const { msg } = await giveOrder(await openClient(updater), '/cancel', {}, json === true);
  if (json !== true) process.stdout.write(`${msg === 'success' ? 'cancelled' : msg}\n`);
  return EXIT.done;
}
