import { basename, dirname, join } from 'node:path';
import { look } from '../disk.js';
import { sha256OfFile } from './content.js';
import { temporaryCopy } from './copy-durably.js';
import { isEdited, type Operation } from './operation.js';

/** More copies than this of one file's edits are nobody's wish; the newest then is not kept beside. */
const MAX_COPIES = 100;
/** Bytes of a name: NAME_MAX of limits.h(0P) on Linux's own file systems. */
const MAX_NAME = 255;

/**
 * A free name for a file that is the user's: `NAME.local-<version left>`, then `+2`, `+3`, … A NAME that is too long for
 * that is cut. None of `taken` is given. null where a file with the same content is there already, which counts as made.
 */
export async function freeNameBeside(
  path: string,
  version: string,
  sha256: string,
  taken: ReadonlySet<string> = new Set(),
): Promise<string | null> {
  for (let copy = 1; copy <= MAX_COPIES; copy++) {
    const name = withEnding(path, `.local-${version}${copy === 1 ? '' : `+${copy}`}`);
    if (taken.has(name)) continue;
    const entry = await look(name);
    if (entry === null) return name;
    if (entry.isFile() && (await sha256OfFile(name)) === sha256) return null;
  }
  return null;
}

function withEnding(path: string, ending: string): string {
  const room = MAX_NAME - Buffer.byteLength(temporaryCopy(ending));
  const name = Array.from(basename(path));
  while (Buffer.byteLength(name.join('')) > room) name.pop();
  return join(dirname(path), `${name.join('')}${ending}`);
}

/** The operations with the names under which edited files are kept beside; one that has it already is the same object. */
export async function withKeptBeside(
  operations: readonly Operation[],
  versionLeft: string,
): Promise<Operation[]> {
  const named: Operation[] = [];
  const taken = new Set<string>();
  for (const operation of operations) {
    const { path, old, wanted } = operation;
    const isTheirs = old !== null && isEdited(operation) && old.sha256 !== wanted?.sha256;
    const keepBeside = isTheirs ? await freeNameBeside(path, versionLeft, old.sha256, taken) : null;
    if (keepBeside !== null) taken.add(keepBeside);
    named.push(keepBeside === operation.keepBeside ? operation : { ...operation, keepBeside });
  }
  return named;
}
