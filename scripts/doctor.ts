import { resolve } from 'node:path';
import { readConfiguration } from '../services/configuration/read-configuration.js';
import { Client } from './calling/client.js';
import { CALLER_HELP, CALLER_OPTIONS, EXIT, parseOptions, printHelp } from './command.js';
import { writeBundle } from './doctor/bundle.js';
import { examine } from './doctor/examine.js';
import { lineOf } from './doctor/finding.js';
import { tokenOf, whereItListens } from './calling/where-it-listens.js';

const HELP = `Usage: tope-updater doctor [--bundle FILE] [--json] [--updater URL]

Looks at the device and says on one line each what is ok, what is worth a note, and what is a fault and what to do:
port, folders, free room, keys, token, units, saved state, journal, last order. Changes nothing. Works with the updater down.

Options:
  --bundle FILE  also pack this, settings, log, history and state into FILE (.tar.gz) for support, without credentials
  --json         print the findings as JSON
${CALLER_HELP}
Exit codes: 0 no fault, 1 a fault was found, 2 wrong usage, 78 bad configuration
`;

/** Examines the device; answers with 1 where something must be done. */
export async function doctorCommand(args: string[]): Promise<number> {
  const options = { ...CALLER_OPTIONS, bundle: { type: 'string' } } as const;
  const { help, json, updater, bundle } = parseOptions(args, options);
  if (help === true) return printHelp(HELP);
  const { configuration, warnings } = await readConfiguration(process.env);
  const client = new Client(await whereItListens(updater));
  const findings = await examine(configuration, warnings, client);
  if (json === true) process.stdout.write(`${JSON.stringify(findings)}\n`);
  else for (const finding of findings) process.stdout.write(`${lineOf(finding)}\n`);
  if (bundle !== undefined) {
    const token = await tokenOf(configuration);
    const names = await writeBundle(resolve(bundle), { configuration, findings, client, token });
    process.stderr.write(`tope-updater: ${bundle} holds ${names.length} files for support\n`);
  }
  return findings.some(({ verdict }) => verdict === 'fault') ? EXIT.failed : EXIT.done;
}
