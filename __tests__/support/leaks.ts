import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Device } from './device.js';
import { URL_SECRET } from './package-server.js';

const ANSWERS = ['/state', '/history', '/versions', '/progress', '/metrics', '/healthz'];

/**
 * Where the credential of a package's URL can be read: files of the updater's (but for the saved state, which holds it
 * and is root's alone), answers, reports, what it has printed.
 */
export async function leaksOf(device: Device, credential = URL_SECRET): Promise<string[]> {
  const places = new Map<string, string>();
  for (const path of ANSWERS) places.set(path, JSON.stringify(await device.get(path)));
  places.set('reports', device.api.heard.map(({ raw }) => raw).join());
  const { stdout, stderr } = await device.updater.end('SIGTERM');
  places.set('stdout', stdout).set('stderr', stderr);
  for (const path of [...filesBelow(device.workDir), ...filesBelow(device.storeDir)])
    places.set(path, readFileSync(path, 'latin1'));
  for (const name of ['state.json', 'state.json.bak']) places.delete(join(device.workDir, 'tmp', name));
  return [...places].filter(([, text]) => text.includes(credential)).map(([place]) => place);
}

/** The paths of all regular files below a folder. */
function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
}
