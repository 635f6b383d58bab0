import { printable } from '../services/log/log-line.js';
import { askVersions, type VersionsAnswer } from './calling/answers.js';
import { openClient } from './calling/client.js';
import { CALLER_HELP, CALLER_OPTIONS, EXIT, parseOptions, printHelp } from './command.js';
import { inColumns } from './calling/columns.js';

const HELP = `Usage: tope-updater versions [--json] [--updater URL]

Prints which version is installed, which ones a rollback can reach, and all releases that the device keeps.

Options:
  --json         print the answer's data as JSON, for scripts
${CALLER_HELP}
Exit codes: 0 answered, 1 no answer, 2 wrong usage, 78 bad configuration
`;

/** Prints the releases on the device. Throws where no updater answers. */
export async function versionsCommand(args: string[]): Promise<number> {
  const { help, json, updater } = parseOptions(args, CALLER_OPTIONS);
  if (help === true) return printHelp(HELP);
  const versions = await askVersions(await openClient(updater));
  process.stdout.write(json === true ? `${JSON.stringify(versions)}\n` : inWords(versions));
  return EXIT.done;
}

function inWords({ current, previous, factory, releases }: VersionsAnswer): string {
  const named = inColumns([
    ['current', current ?? 'none'],
    ['previous', previous ?? 'none'],
    ['factory', factory ?? 'none'],
  ]);
  if (releases.length === 0) return `${named}\nno releases are kept: no update was ever installed\n`;
  const rows = releases.map(({ version, id, installedAt, bytes, bad }) => [
    version,
    id ?? '-',
    installedAt ?? '-',
    bytes === null ? '-' : String(bytes),
    bad === null ? '' : `bad since ${bad.since}: ${printable(bad.why)}`,
  ]);
  return `${named}\n${inColumns([['VERSION', 'RELEASE', 'INSTALLED', 'BYTES', ''], ...rows])}`;
}
