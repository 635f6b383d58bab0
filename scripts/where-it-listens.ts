import { readFile } from 'node:fs/promises';
import { readConfiguration } from '../services/read-configuration.js';
import { UsageError } from './command.js';

/** Where an updater is asked, and what shows that we may. */
export interface Place {
  /** Scheme, host and port, without a slash at the end. */
  base: string;
  /** The bearer token that orders need; null where none is configured. */
  token: string | null;
}

/**
 * Where the updater of this device listens, by its configuration (TOPE_CONFIG and TOPE_ variables, as for `serve`), or
 * where `url` says. Throws a UsageError for a URL that is none, a ConfigurationError, or an Error where the token's file
 * cannot be read.
 */
export async function whereItListens(url: string | undefined): Promise<Place> {
  if (url !== undefined && !isWebAddress(url))
    throw new UsageError(`--updater is ${JSON.stringify(url)}: expected an http or https URL`);
  const { configuration } = await readConfiguration(process.env);
  const { host, port } = configuration;
  // An updater that listens on all addresses is asked on loopback, where its Host check knows it.
  const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  const base = url?.replace(/\/+$/, '') ?? `http://${name.includes(':') ? `[${name}]` : name}:${port}`;
  return { base, token: await tokenOf(configuration) };
}

function isWebAddress(url: string): boolean {
  return URL.canParse(url) && /^https?:$/.test(new URL(url).protocol);
}

/** The token in the file that the configuration names, where it knows such a file. */
async function tokenOf(configuration: object): Promise<string | null> {
  const { tokenFile }: { tokenFile?: unknown } = { ...configuration };
  if (typeof tokenFile !== 'string' || tokenFile === '') return null;
  try {
    return (await readFile(tokenFile, 'utf8')).trim();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`the token in ${tokenFile} cannot be read: ${why}`, { cause: error });
  }
}
