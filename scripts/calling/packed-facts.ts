import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { toUpdateError, wordsOf } from '../../machines/errors.js';
import { readDownloadBody, type DownloadBody } from '../../http/orders/order-bodies.js';
import { UsageError } from '../command.js';

const STANDARD_INPUT = 'the standard input';

/**
 * The body of an order to download from a URL: what `pack` printed, in a file or (`-`) on the standard input, with the
 * URL: `-` reads it from the standard input, null takes the one that stands there as package_url. Throws a UsageError
 * that names every field that is wrong, or that it cannot be read.
 */
export async function orderByUrl(url: string | null, file: string): Promise<DownloadBody> {
  if (url === '-' && file === '-')
    throw new UsageError('--url - needs --packed FILE: both cannot be read from the standard input');
  const where = file === '-' ? STANDARD_INPUT : file;
  const facts = parsed(await textOf(file, where), where);
  const address = url === '-' ? (await textOf('-', STANDARD_INPUT)).trim() : url;
  try {
    return readDownloadBody({ ...facts, ...(address === null ? {} : { package_url: address }) });
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
      'expected --packed FILE, and what is missing (what pack printed, or the URL) on the standard input',
    );
  try {
    return file === '-' ? await text(process.stdin) : await readFile(file, 'utf8');
  } catch (error) {
    const why = wordsOf(error);
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
