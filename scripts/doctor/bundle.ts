import { readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { safeJson, withoutAddresses, withoutCredentials } from '../../http/credentials.js';
import type { Configuration } from '../../services/configuration/configuration.js';
import { look, readText } from '../../services/disk.js';
import { LOG_FILES } from '../../services/log/log-files.js';
import { statePaths } from '../../services/saved-state/saved-state.js';
import { tmpDirOf } from '../../services/work-folder.js';
import type { Client } from '../calling/client.js';
import { lineOf, type Finding } from './finding.js';
import { tarOf, type TarEntry } from './tar.js';

/** All that a bundle is made from. */
export interface BundleParts {
  configuration: Configuration;
  findings: readonly Finding[];
  client: Client;
  /** The bearer token of orders, which stands nowhere in a bundle. */
  token: string | null;
}

/**
 * Writes what support needs into a new file (tar, gzip; mode 0600): the findings, the settings, log, history and state. Web
 * addresses in it are cut to origin and path, so that no credential of a package or a proxy is in it. Answers with the
 * names in it; rejects with node's errors, EEXIST where the file is there.
 */
export async function writeBundle(file: string, parts: BundleParts): Promise<string[]> {
  const { configuration, findings, client, token } = parts;
  const entries: TarEntry[] = [];
  const add = (name: string, text: string | null) => {
    if (text === null) return;
    const bytes = Buffer.from(token === null ? text : text.replaceAll(token, '***'));
    entries.push({ name: `tope-support/${name}`, bytes });
  };
  const logs = join(configuration.workDir, 'logs');
  const tmpDir = tmpDirOf(configuration.workDir);
  add('doctor.txt', withoutCredentials(findings.map((finding) => `${lineOf(finding)}\n`).join('')));
  add('settings.json', `${safeJson(configuration)}\n`);
  add('history.jsonl', jsonLines(await readText(join(logs, 'history.jsonl'))));
  for (const path of Object.values(statePaths(tmpDir))) add(basename(path), jsonLines(await readText(path)));
  for (const path of ['/state', '/versions', '/progress'])
    add(`live${path}.json`, await answerTo(path, client));
  for (const name of await logNames(logs))
    add(`logs/${name}`, withoutCredentials(await readFile(join(logs, name), 'utf8')));
  const archive = await promisify(gzip)(tarOf(entries, new Date()));
  await writeFile(file, archive, { mode: 0o600, flag: 'wx' });
  return entries.map(({ name }) => name);
}

/** Lines of JSON without credentials; null where there is no such file. */
function jsonLines(text: string | null): string | null {
  return text === null ? null : text.split('\n').map(redacted).join('\n');
}

/** What is no JSON loses its addresses, up to the end of each one's string. */
function redacted(line: string): string {
  try {
    return safeJson(JSON.parse(line));
  } catch {
    return withoutAddresses(line);
  }
}

/** What the running updater says; null where none runs, which the findings tell. */
async function answerTo(path: string, client: Client): Promise<string | null> {
  try {
    return `${safeJson(await client.get(path))}\n`;
  } catch {
    return null;
  }
}

async function logNames(folder: string): Promise<string[]> {
  if ((await look(folder)) === null) return [];
  return (await readdir(folder)).filter((name) => name.startsWith(LOG_FILES.prefix)).sort();
}
