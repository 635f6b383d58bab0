import { openClient } from './calling/client.js';
import { CALLER_HELP, CALLER_OPTIONS, EXIT, parseOptions, printHelp } from './command.js';
import { viewOn } from './calling/progress-view.js';
import { showUntil } from './calling/show-until.js';

const HELP = `Usage: tope-updater watch [--until-end] [--json] [--updater URL]

Shows what the updater does as it happens: a bar for each stage on a terminal, lines in a pipe. An updater that is
restarted, or not there yet, is waited for. Ctrl-C ends the watching, never the update.

Options:
  --until-end    end when the update has ended: exit code 0 after success, 1 after failed
  --json         print each step as a line of JSON, for scripts
${CALLER_HELP}
Exit codes: 0 ended, 1 the update failed, 2 wrong usage, 78 bad configuration
`;

/** Shows an update until it has ended, or until it is interrupted. */
export async function watchCommand(args: string[]): Promise<number> {
  const options = { ...CALLER_OPTIONS, 'until-end': { type: 'boolean' } } as const;
  const { help, json, updater, 'until-end': untilEnd } = parseOptions(args, options);
  if (help === true) return printHelp(HELP);
  const client = await openClient(updater);
  const end = await showUntil(client, viewOn(process.stdout, json === true), ({ stage }) =>
    untilEnd === true && (stage === 'success' || stage === 'failed') ? stage : null,
  );
  return end === 'failed' ? EXIT.failed : EXIT.done;
}
