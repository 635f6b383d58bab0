import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { mermaidOf } from './mermaid.js';
import { updateMachine } from '../machines/update-machine.js';

export { mermaidOf } from './mermaid.js';

const USAGE = `Usage: tope-updater visualize [--format mermaid] [--restarts] [-o FILE]

Draws the update machine as text.

  --format mermaid   a Mermaid stateDiagram-v2 (the default)
  --restarts         also what a restart leads to (the event RESTORED)
  -o, --output FILE  writes to a file instead of the standard output
`;

/**
 * The command `visualize`: answers with its exit code, 0 for done, 1 where the file cannot be written, 2 for wrong
 * usage (both told on the standard error).
 */
export async function visualizeCommand(args: readonly string[]): Promise<number> {
  const options = readOptions(args);
  if (typeof options === 'string') {
    process.stderr.write(`${options}\n\n${USAGE}`);
    return 2;
  }
  if (options.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  const picture = mermaidOf(updateMachine, options);
  if (options.output === undefined) {
    process.stdout.write(picture);
    return 0;
  }
  try {
    await writeFile(options.output, picture);
    return 0;
  } catch (error) {
    process.stderr.write(`cannot write ${options.output}: ${String(error)}\n`);
    return 1;
  }
}

/** The options, or what is wrong with them. */
function readOptions(args: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        format: { type: 'string', default: 'mermaid' },
        restarts: { type: 'boolean', default: false },
        output: { type: 'string', short: 'o' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    return values.format === 'mermaid' ? values : `--format ${values.format}: expected mermaid`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
