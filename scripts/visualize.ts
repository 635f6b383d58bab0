import { readFile, writeFile } from 'node:fs/promises';
import { MACHINE_PICTURE } from '../http/pages/machine-picture.js';
import { updateMachine } from '../machines/update-machine.js';
import { EXIT, parseOptions, printHelp, UsageError } from './command.js';
import { dotOf } from './picture/dot.js';
import { htmlOf } from './picture/html.js';
import { graphOf } from './picture/machine-graph.js';
import { mermaidOf } from './picture/mermaid.js';
import { PICTURE_TITLE, withStyle } from './picture/svg.js';
import { xstateJsonOf } from './picture/xstate-json.js';

const HELP = `Usage: tope-updater visualize [--format FORMAT] [--restarts] [-o FILE]

Draws the update machine from its definition.

Formats:
  svg        the picture that /visualizer shows, with its style
  html       the same as a page, with states and transitions as tables
  mermaid    a Mermaid stateDiagram-v2 (the default)
  dot        for Graphviz
  json       the definition as XState's createMachine takes it; Stately's editor (import from code) wants it
             as createMachine(JSON)

Options:
  --restarts         in mermaid and dot: also what a restart leads to (the event RESTORED)
  -o, --output FILE  writes to a file instead of the standard output
  --help             print this

Exit codes: 0 done, 1 the file cannot be written, 2 wrong usage
`;

/** Makes the picture in each format; all but the laid out ones can show restarts. */
const FORMATS: Readonly<Record<string, (restarts: boolean) => string | Promise<string>>> = {
  svg: styledPicture,
  html: async () => htmlOf(graphOf(updateMachine), { title: PICTURE_TITLE, svg: await styledPicture() }),
  mermaid: (restarts) => mermaidOf(graphOf(updateMachine, { restarts })),
  dot: (restarts) => dotOf(graphOf(updateMachine, { restarts })),
  json: () => xstateJsonOf(updateMachine),
};
const WITH_RESTARTS = ['mermaid', 'dot'];

/** The command `visualize`: answers with its exit code. Rejects where the file cannot be written. */
export async function visualizeCommand(args: string[]): Promise<number> {
  const {
    help,
    format,
    restarts = false,
    output,
  } = parseOptions(args, {
    format: { type: 'string', default: 'mermaid' },
    restarts: { type: 'boolean' },
    output: { type: 'string', short: 'o' },
  });
  if (help === true) return printHelp(HELP);
  const draw = Object.hasOwn(FORMATS, format) ? FORMATS[format] : undefined;
  if (draw === undefined)
    throw new UsageError(`--format ${format}: expected one of ${Object.keys(FORMATS).join(', ')}`);
  if (restarts && !WITH_RESTARTS.includes(format))
    throw new UsageError(`--restarts: ${format} is laid out beforehand; expected mermaid or dot`);
  const picture = await draw(restarts);
  if (output === undefined) process.stdout.write(picture);
  else await writeFile(output, picture);
  return EXIT.done;
}

async function styledPicture(): Promise<string> {
  return withStyle(MACHINE_PICTURE, await readFile(new URL('../pages/machine.css', import.meta.url), 'utf8'));
}
