import { look } from '../disk.js';
import { sha256OfFile } from './content.js';
import { isEdited, type Operation } from './operation.js';

/** More copies than this of one file's edits are nobody's wish; the newest then is not kept beside. */
const MAX_COPIES = 100;

/**
 * A free name for a file that is the user's: `NAME.local-<version left>`, then `+2`, `+3`, … null where a file with the
 * same content is there already, which counts as made.
 */
export async function freeNameBeside(path: string, version: string, sha256: string): Promise<string | null> {
  for (let copy = 1; copy <= MAX_COPIES; copy++) {
    const name = `${path}.local-${version}${copy === 1 ? '' : `+${copy}`}`;
    const entry = await look(name);
    if (entry === null) return name;
    if (entry.isFile() && (await sha256OfFile(name)) === sha256) return null;
  }
  return null;
}

/** The operations with the names under which edited files are kept beside. */
export async function withKeptBeside(
  operations: readonly Operation[],
  versionLeft: string,
): Promise<Operation[]> {
  const named: Operation[] = [];
  for (const operation of operations) {
    const { path, old, wanted } = operation;
    const isTheirs = old !== null && isEdited(operation) && old.sha256 !== wanted?.sha256;
    named.push({
      ...operation,
      keepBeside: isTheirs ? await freeNameBeside(path, versionLeft, old.sha256) : null,
    });
  }
  return named;
}
