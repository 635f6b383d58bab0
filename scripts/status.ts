import { askStatus } from './calling/answers.js';
import { openClient } from './calling/client.js';
import { CALLER_HELP, CALLER_OPTIONS, EXIT, parseOptions, printHelp } from './command.js';
import { inWords } from './calling/progress-view.js';

const HELP = `Usage: tope-updater status [--json] [--updater URL]

Prints the stage, the progress and the message that the running updater tells at /progress.

Options:
  --json         print the answer's data as JSON, for scripts
${CALLER_HELP}
Exit codes: 0 answered, 1 no answer or the last update failed, 2 wrong usage, 78 bad configuration
`;

/** Prints what a running updater does. Throws where none answers within 5 s. */
export async function statusCommand(args: string[]): Promise<number> {
  const { help, json, updater } = parseOptions(args, CALLER_OPTIONS);
  if (help === true) return printHelp(HELP);
  const status = await askStatus(await openClient(updater));
  process.stdout.write(`${json === true ? JSON.stringify(status) : inWords(status)}\n`);
  return status.stage === 'failed' ? EXIT.failed : EXIT.done;
}
