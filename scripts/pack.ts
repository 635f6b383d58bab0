import { readFile } from 'node:fs/promises';
import { UpdateError, wordsOf } from '../machines/errors.js';
import { BadMinisignForm } from '../services/package/minisign.js';
import { EXIT, UsageError } from './command.js';
import { parseSecretKey, type SecretKey } from './pack/minisign-secret.js';
import { packFolder } from './pack/pack-folder.js';
import { PACK_USAGE, readPackOptions } from './pack/pack-options.js';
import { PackError } from './pack/pack-sources.js';

export { packFolder, type PackedPackage, type PackRequest } from './pack/pack-folder.js';

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
    const order = readPackOptions(args);
    if (order === null) {
      out(PACK_USAGE);
      return EXIT.done;
    }
    const key = order.keyFile === null ? null : await readKey(order.keyFile);
    const packed = await packFolder({ ...order.request, ...(key === null ? {} : { key }) });
    if (key !== null) err(`signed by the key ${key.id}\n`);
    out(`${JSON.stringify(packed, null, 2)}\n`);
    return EXIT.done;
  } catch (error) {
    if (error instanceof UsageError) {
      err(`tope-updater pack: ${error.message}; see tope-updater pack --help\n`);
      return EXIT.wrongUsage;
    }
    err(`tope-updater pack: ${error instanceof UpdateError ? error.line : wordsOf(error)}\n`);
    return EXIT.failed;
  }
}

async function readKey(path: string): Promise<SecretKey> {
  try {
    return parseSecretKey(await readFile(path, 'utf8'), process.env['MINISIGN_PASSWORD'] ?? null);
  } catch (error) {
    if (error instanceof BadMinisignForm)
      throw new PackError(`the key ${path} cannot be used: ${error.message}`);
    throw error;
  }
}
