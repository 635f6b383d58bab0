import { STAGES } from '../machines/stage.js';
import { leadsToLoopback } from '../services/loopback.js';
import { openClient, type Client } from './calling/client.js';
import { CALLER_HELP, CALLER_OPTIONS, EXIT, parseOptions, printHelp, UsageError } from './command.js';
import { giveOrder, Refused, showUntilGoal, wordIn } from './calling/give-order.js';
import { readLocalPackage } from './calling/local-package.js';
import { orderByUrl } from './calling/packed-facts.js';
import { serveFile } from './calling/serve-file.js';

const HELP = `Usage: tope-updater download --file FILE [--json] [--updater URL]
       tope-updater download --url URL|- [--packed FILE] [--wait] [--json] [--updater URL]
       tope-updater download --packed FILE [--wait] [--json] [--updater URL]

Orders the download of a package. With --file it is a package on this device: it is served to the updater on loopback
until the updater has fetched and verified it. Else the updater fetches it from a URL; what it must be is read from what
tope-updater pack printed. Other users can read a program's words, and so a pre-signed URL among them: let --url - read it
from the standard input, or put it into what pack printed, as package_url.

Options:
  --file FILE    a package here; its version is the one in its manifest
  --url URL      where the updater finds the package; - reads it from the standard input
  --packed FILE  what pack printed about the package (with --url URL the standard input, -, if absent)
  --wait         show the download and end when the package is ready (--file always does)
  --json         print the answer, and what is shown, as lines of JSON
${CALLER_HELP}
Exit codes: 0 ordered (with --wait or --file: ready to be installed), 1 refused, failed or no answer, 2 wrong usage,
78 bad configuration
`;

const OPTIONS = {
  ...CALLER_OPTIONS,
  file: { type: 'string' },
  url: { type: 'string' },
  packed: { type: 'string' },
  wait: { type: 'boolean' },
} as const;

/** Orders a download. Throws UsageError, Refused, NoAnswer, NoUpdater, or what a local package is refused for. */
export async function downloadCommand(args: string[]): Promise<number> {
  const { help, json, updater, file, url, packed, wait } = parseOptions(args, OPTIONS);
  if (help === true) return printHelp(HELP);
  if (file !== undefined && (url ?? packed) !== undefined)
    throw new UsageError('--file reads the package itself: it goes without --url and --packed');
  if (file === undefined && url === undefined && packed === undefined)
    throw new UsageError('expected --file, --url or --packed');
  const client = await openClient(updater);
  const asJson = json === true;
  if (file !== undefined) return await handOver(client, file, asJson);
  const body = await orderByUrl(url ?? null, packed ?? '-');
  const answer = await giveOrder(client, '/download', body, asJson);
  if (!asJson) process.stdout.write(`${body.version}: ${wordIn(answer, 'status')}\n`);
  return wait === true ? showUntilGoal(client, STAGES.ready, asJson) : EXIT.done;
}

/** Serves a local package to the updater until it is verified. */
async function handOver(client: Client, file: string, asJson: boolean): Promise<number> {
  if (!leadsToLoopback(new URL(client.base)))
    throw new UsageError(
      `--file serves the package on loopback, which ${client.base} does not reach; give --url`,
    );
  const facts = await readLocalPackage(file);
  const served = await serveFile(file, facts.package_size, facts.package_md5);
  try {
    const body = { ...facts, package_url: served.url };
    const answer = await giveOrder(client, '/download', body, asJson).catch(explainRefusal);
    if (!asJson) process.stdout.write(`${facts.version}: ${wordIn(answer, 'status')}\n`);
    return await showUntilGoal(client, STAGES.ready, asJson);
  } finally {
    await served.close();
  }
}

/** A device that fetches from named hosts alone does not fetch from itself unless it is told to. */
function explainRefusal(error: unknown): never {
  if (error instanceof Refused && error.message.includes('TOPE_PACKAGE_HOSTS'))
    throw new Refused(
      `${error.message}; --file serves the package from 127.0.0.1: add 127.0.0.1 to TOPE_PACKAGE_HOSTS, or give --url`,
    );
  throw error;
}
