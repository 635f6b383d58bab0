import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { toUpdateError } from '../machines/errors.js';
import { readDownloadBody, type DownloadBody } from '../http/orders/order-bodies.js';
import { UsageError } from './command.js';

/**
 * The body of an order to download from a URL: what `pack` printed, in a file or (`-`) on the standard input, with the
 * URL. Throws a UsageError that names every field that is wrong, or that it cannot be read.
 */
export async function orderByUrl(url: string, file: string): Promise<DownloadBody> {
  const where = file === '-' ? 'the standard input' : file;
  const facts = parsed(await textOf(file, where), where);
  try {
    return readDownloadBody({ ...facts, package_url: url });
  } catch (error) {
    throw new UsageError(
      `${where}: expected what tope-updater pack prints: ${toUpdateError(error).message}`,
      { cause: error },
    );
  }
}

async function textOf(file: string, where: string): Promise<string> {
  if (file === '-' && process.stdin.isTTY)
    throw new UsageError(
      '--url needs what tope-updater pack printed, by --packed FILE or on the standard input',
    );
  try {
    return file === '-' ? await text(process.stdin) : await readFile(file, 'utf8');
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new UsageError(`${where} cannot be read: ${why}`, { cause: error });
  }
}

function parsed(words: string, where: string): object {
  try {
    const facts: unknown = JSON.parse(words);
    if (typeof facts === 'object' && facts !== null) return facts;
  } catch {
    // What it is instead is said below.
  }
  const shown = words.trim() === '' ? 'nothing' : JSON.stringify(words.slice(0, 80));
  throw new UsageError(`${where}: expected the JSON that tope-updater pack prints, not ${shown}`);
}
