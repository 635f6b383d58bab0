import { parseArgs, type ParseArgsConfig } from 'node:util';
import { wordsOf } from '../machines/errors.js';

/** Exit codes of the command, the same for all subcommands; 78 is EX_CONFIG of sysexits.h. */
export const EXIT = { done: 0, failed: 1, wrongUsage: 2, badConfiguration: 78 } as const;

/** A subcommand: gets the words after its name and answers with an exit code. */
export type Command = (args: string[]) => Promise<number>;

/** The command was called wrongly: the sentence goes to stderr and it ends with exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** What every command that calls the updater takes beside its own options. */
export const CALLER_OPTIONS = { json: { type: 'boolean' }, updater: { type: 'string' } } as const;

/** The same for their help texts. */
export const CALLER_HELP = `  --updater URL  where the updater listens (default: as it is configured, else http://127.0.0.1:12315)
  --help         print this
`;

/**
 * Options of a subcommand, parsed strictly, with `--help` added. Throws a UsageError for one that is unknown or has no
 * value, and for words beside the options.
 */
export function parseOptions<Options extends NonNullable<ParseArgsConfig['options']>>(
  args: string[],
  options: Options,
) {
  return parse({ args, options: { ...options, help: HELP_OPTION }, strict: true } as const).values;
}

/** The same for a subcommand that takes words beside its options. */
export function parseWords<Options extends NonNullable<ParseArgsConfig['options']>>(
  args: string[],
  options: Options,
) {
  const { values, positionals: words } = parse({
    args,
    options: { ...options, help: HELP_OPTION },
    strict: true,
    allowPositionals: true,
  } as const);
  return { values, words };
}

/** The same for one that takes a single word; `name` is what its help calls it. */
export function parseWord<Options extends NonNullable<ParseArgsConfig['options']>>(
  args: string[],
  options: Options,
  name = 'word',
) {
  const { values, words } = parseWords(args, options);
  const [word, ...more] = words;
  if (more[0] !== undefined) throw new UsageError(`one ${name} is enough; what is ${more[0]}?`);
  return { values, word };
}

const HELP_OPTION = { type: 'boolean', short: 'h' } as const;

function parse<Config extends ParseArgsConfig>(config: Config) {
  try {
    return parseArgs(config);
  } catch (error) {
    throw new UsageError(wordsOf(error), { cause: error });
  }
}

/** Prints a command's help; answers with its exit code. */
export function printHelp(help: string): number {
  process.stdout.write(help);
  return EXIT.done;
}
