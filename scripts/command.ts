import { parseArgs, type ParseArgsConfig } from 'node:util';

/** Exit codes of the command, the same for all subcommands; 78 is EX_CONFIG of sysexits.h. */
export const EXIT = { done: 0, failed: 1, wrongUsage: 2, badConfiguration: 78 } as const;

/** A subcommand: gets the words after its name and answers with an exit code. */
export type Command = (args: string[]) => Promise<number>;

/** The command was called wrongly: the sentence goes to stderr and it ends with exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/**
 * Options of a subcommand, parsed strictly, with `--help` added. Throws a UsageError for one that is unknown or has no
 * value.
 */
export function parseOptions<Options extends NonNullable<ParseArgsConfig['options']>>(
  args: string[],
  options: Options,
) {
  try {
    return parseArgs({ args, options: { ...options, help: { type: 'boolean', short: 'h' } }, strict: true })
      .values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}
