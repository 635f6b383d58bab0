import { STAGES } from '../machines/stage.js';
import { openClient } from './calling/client.js';
import { CALLER_HELP, CALLER_OPTIONS, EXIT, parseWord, printHelp, UsageError } from './command.js';
import { giveOrder, showUntilGoal, wordIn } from './calling/give-order.js';

const HELP = `Usage: tope-updater rollback [previous|factory] [--wait] [--json] [--updater URL]

Goes back to a release that the device keeps (see tope-updater versions); to the previous one if none is named.

Options:
  --wait         show it and end when it has ended
  --json         print the answer, and what --wait shows, as lines of JSON
${CALLER_HELP}
Exit codes: 0 ordered (with --wait: done), 1 refused, failed or no answer, 2 wrong usage, 78 bad configuration
`;

/** Orders a rollback. Throws Refused, NoAnswer or NoUpdater. */
export async function rollbackCommand(args: string[]): Promise<number> {
  const { values, word: to = 'previous' } = parseWord(args, { ...CALLER_OPTIONS, wait: { type: 'boolean' } });
  if (values.help === true) return printHelp(HELP);
  if (to !== 'previous' && to !== 'factory')
    throw new UsageError(`${to} is no release to go back to: expected previous or factory`);
  const asJson = values.json === true;
  const client = await openClient(values.updater);
  const answer = await giveOrder(client, '/rollback', { to }, asJson);
  if (!asJson)
    process.stdout.write(`back to ${wordIn(answer, 'version')} (${to}): ${wordIn(answer, 'status')}\n`);
  return values.wait === true ? showUntilGoal(client, STAGES.done, asJson) : EXIT.done;
}
