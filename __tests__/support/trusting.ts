import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Proxies } from '../../services/download/choose-proxy.js';
import { DIRECT, openConnections, type Connections } from '../../services/download/connections.js';
import { trustedAuthorities } from '../../services/download/trusted-authorities.js';
import { AUTHORITY } from './certificate.js';
import { temporaryFolder } from './temporary-folder.js';

/** A file that holds the tests' authority. */
export async function authorityFile(content = AUTHORITY): Promise<string> {
  const path = join(await temporaryFolder(), 'ca.pem');
  await writeFile(path, content);
  return path;
}

/** The connections of a device that is told of the tests' authority. */
export async function trusting(proxies: Partial<Proxies> = {}): Promise<Connections> {
  return openConnections({
    ...DIRECT,
    ...proxies,
    trust: await trustedAuthorities(await authorityFile()),
  });
}
