import { UpdateError } from '../machines/errors.js';
import { packFolder } from './pack-folder.js';
import { PACK_USAGE, readPackOptions, WrongUsage } from './pack-options.js';

export { packFolder, type PackedPackage, type PackRequest } from './pack-folder.js';

/** Where a command writes to: standard output and standard error. */
export interface CommandOutput {
  out: (text: string) => void;
  err: (text: string) => void;
}

const STANDARD: CommandOutput = {
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
};

/**
 * `tope-updater pack`: prints the body for POST /download as JSON, mistakes on standard error. Answers with the exit
 * code: 0 done, 1 failed, 2 wrong usage.
 */
export async function packCommand(args: string[], { out, err }: CommandOutput = STANDARD): Promise<number> {
  try {
    const request = readPackOptions(args);
    if (request === null) {
      out(PACK_USAGE);
      return 0;
    }
    out(`${JSON.stringify(await packFolder(request), null, 2)}\n`);
    return 0;
  } catch (error) {
    if (error instanceof WrongUsage) {
      err(`tope-updater pack: ${error.message}\n\n${PACK_USAGE}`);
      return 2;
    }
    err(`tope-updater pack: ${wordsOf(error)}\n`);
    return 1;
  }
}

function wordsOf(error: unknown): string {
  if (error instanceof UpdateError) return error.line;
  return error instanceof Error ? error.message : String(error);
}
