import { readFile } from 'node:fs/promises';
import { wordsOf } from '../../machines/errors.js';
import { leadsToLoopback } from '../../services/loopback.js';
import type { Configuration } from '../../services/configuration/configuration.js';
import { withoutProxies } from '../../services/configuration/configuration-sources.js';
import { readConfiguration } from '../../services/configuration/read-configuration.js';
import { UsageError } from '../command.js';

/** Where an updater is asked, and what shows that we may. */
export interface Place {
  /** Scheme, host and port, without a slash at the end. */
  base: string;
  /** Reads the bearer token that orders need; null where none is configured, or where it is nobody else's to know. */
  token: () => Promise<string | null>;
}

/**
 * Where the updater of this device listens, by its configuration (TOPE_CONFIG and TOPE_ variables, as for `serve`), or
 * where `url` says. The token is for that updater and for loopback alone. Throws a UsageError for a URL that is none, or
 * a ConfigurationError.
 */
export async function whereItListens(url: string | undefined): Promise<Place> {
  if (url !== undefined && !isWebAddress(url))
    throw new UsageError(`--updater is ${JSON.stringify(url)}: expected an http or https URL`);
  const { configuration } = await readConfiguration(withoutProxies(process.env));
  const { host, port } = configuration;
  // An updater that listens on all addresses is asked on loopback, where its Host check knows it.
  const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  const own = `http://${name.includes(':') ? `[${name}]` : name}:${port}`;
  const base = url?.replace(/\/+$/, '') ?? own;
  const isOurs = base === own || leadsToLoopback(new URL(base));
  return { base, token: () => (isOurs ? tokenOf(configuration) : Promise.resolve(null)) };
}

function isWebAddress(url: string): boolean {
  return URL.canParse(url) && /^https?:$/.test(new URL(url).protocol);
}

/** The token in the file that the configuration names, if it names one. Throws an Error where it cannot be read. */
export async function tokenOf({ tokenFile }: Configuration): Promise<string | null> {
  if (tokenFile === '') return null;
  try {
    return (await readFile(tokenFile, 'utf8')).trim();
  } catch (error) {
    const why = wordsOf(error);
    throw new Error(`the token in ${tokenFile} cannot be read: ${why}`, { cause: error });
  }
}
