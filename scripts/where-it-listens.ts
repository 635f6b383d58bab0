import { readFile } from 'node:fs/promises';
import type { Configuration } from '../services/configuration.js';
import { readConfiguration } from '../services/read-configuration.js';
import { UsageError } from './command.js';

/** Where an updater is asked, and what shows that we may. */
export interface Place {
  /** Scheme, host and port, without a slash at the end. */
  base: string;
  /** The bearer token that orders need; null where none is configured. */
  token: string | null;
  /** Why a configured token cannot be read: whoever asks without ordering needs none. */
  tokenFault?: Error | null;
}

/**
 * Where the updater of this device listens, by its configuration (TOPE_CONFIG and TOPE_ variables, as for `serve`), or
 * where `url` says. Throws a UsageError for a URL that is none, or a ConfigurationError.
 */
export async function whereItListens(url: string | undefined): Promise<Place> {
  if (url !== undefined && !isWebAddress(url))
    throw new UsageError(`--updater is ${JSON.stringify(url)}: expected an http or https URL`);
  const { configuration } = await readConfiguration(process.env);
  const { host, port } = configuration;
  // An updater that listens on all addresses is asked on loopback, where its Host check knows it.
  const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  const base = url?.replace(/\/+$/, '') ?? `http://${name.includes(':') ? `[${name}]` : name}:${port}`;
  return { base, ...(await tokenOf(configuration)) };
}

function isWebAddress(url: string): boolean {
  return URL.canParse(url) && /^https?:$/.test(new URL(url).protocol);
}

async function tokenOf({ tokenFile }: Configuration): Promise<Pick<Place, 'token' | 'tokenFault'>> {
  if (tokenFile === '') return { token: null, tokenFault: null };
  try {
    const token = (await readFile(tokenFile, 'utf8')).trim();
    return { token: token === '' ? null : token, tokenFault: null };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const tokenFault = new Error(`the token in ${tokenFile} cannot be read: ${why}`, { cause: error });
    return { token: null, tokenFault };
  }
}
