#!/usr/bin/env node
import { readFile } from 'node:fs/promises';
import { wordsOf } from '../machines/errors.js';
import { isJsonObject } from '../services/json-object.js';
import { ConfigurationError } from '../services/configuration/configuration.js';
import { printable } from '../services/log/log-line.js';
import { EXIT, UsageError, type Command } from './command.js';

/** The subcommands; each is loaded when it is called. */
const COMMANDS: Readonly<Record<string, { about: string; load: () => Promise<Command> }>> = {
  serve: {
    about: 'run the updater',
    load: async () => (await import('./serve.js')).serveCommand,
  },
  recover: {
    about: 'finish or undo a deployment that was cut, with no service running',
    load: async () => (await import('./recover.js')).recoverCommand,
  },
  factory: {
    about: 'record what is on the device as the factory release',
    load: async () => (await import('./factory.js')).factoryCommand,
  },
  'unit-settings': {
    about: 'print how its systemd units follow the configuration, for install',
    load: async () => (await import('./unit-settings.js')).unitSettingsCommand,
  },
  pack: {
    about: 'build a package, on a workstation',
    load: async () => (await import('./pack.js')).packCommand,
  },
  keygen: {
    about: 'make a key that packages are signed with',
    load: async () => (await import('./keygen.js')).keygenCommand,
  },
  verify: {
    about: 'say what a device would say to a package',
    load: async () => (await import('./verify.js')).verifyCommand,
  },
  visualize: {
    about: 'draw the machine from its definition',
    load: async () => (await import('./visualize.js')).visualizeCommand,
  },
  status: {
    about: 'print what the running updater is doing',
    load: async () => (await import('./status.js')).statusCommand,
  },
  watch: {
    about: 'show what it is doing as it happens',
    load: async () => (await import('./watch.js')).watchCommand,
  },
  versions: {
    about: 'print what is installed and what it can go back to',
    load: async () => (await import('./versions.js')).versionsCommand,
  },
  history: {
    about: 'print the story of each order',
    load: async () => (await import('./history.js')).historyCommand,
  },
  download: {
    about: 'order the download of a package, or hand it a local one',
    load: async () => (await import('./download.js')).downloadCommand,
  },
  update: {
    about: 'install the package that is ready',
    load: async () => (await import('./update.js')).updateCommand,
  },
  rollback: {
    about: 'go back to a release that the device keeps',
    load: async () => (await import('./rollback.js')).rollbackCommand,
  },
  cancel: {
    about: 'stop a download, or drop a package that is ready',
    load: async () => (await import('./cancel.js')).cancelCommand,
  },
  doctor: {
    about: 'look at the device: each thing is ok, or what to do; pack a bundle for support',
    load: async () => (await import('./doctor.js')).doctorCommand,
  },
};

const HELP = `Usage: tope-updater COMMAND [OPTIONS]

Commands:
${Object.entries(COMMANDS)
  .map(([name, { about }]) => `  ${name.padEnd(10)}${about}\n`)
  .join('')}
Options:
  --help     print this, or what COMMAND --help tells
  --version  print the version

Exit codes: 0 done, 1 failed, 2 wrong usage, 78 bad configuration
`;

/** Runs a subcommand and answers with the exit code; what went wrong is told on stderr. */
async function run([name, ...args]: string[]): Promise<number> {
  if (name === '--help' || name === '-h' || name === 'help') {
    process.stdout.write(HELP);
    return EXIT.done;
  }
  if (name === '--version') {
    process.stdout.write(`${await version()}\n`);
    return EXIT.done;
  }
  if (name === undefined || !Object.hasOwn(COMMANDS, name)) {
    const problem = name === undefined ? 'no command is given' : `${name} is no command`;
    return complain(EXIT.wrongUsage, `${problem}; see tope-updater --help`);
  }
  try {
    const command = await COMMANDS[name]?.load();
    return (await command?.(args)) ?? EXIT.failed;
  } catch (error) {
    if (error instanceof UsageError)
      return complain(EXIT.wrongUsage, `${error.message}; see tope-updater ${name} --help`);
    if (error instanceof ConfigurationError) return complain(EXIT.badConfiguration, ...error.problems);
    return complain(EXIT.failed, wordsOf(error));
  }
}

function complain(exitCode: number, ...problems: string[]): number {
  for (const problem of problems) process.stderr.write(`tope-updater: ${printable(problem)}\n`);
  return exitCode;
}

async function version(): Promise<string> {
  const facts: unknown = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8'));
  return isJsonObject(facts) && 'version' in facts ? String(facts['version']) : 'unknown';
}

process.exitCode = await run(process.argv.slice(2));
