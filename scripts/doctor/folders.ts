import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { wordsOf } from '../../machines/errors.js';
import type { Configuration } from '../../services/configuration/configuration.js';
import { storeFolder } from '../../services/deployment/store.js';
import { freeBytes, RESERVE_BYTES } from '../../services/free-room.js';
import { entryAt, WRITABLE_BY_OTHERS } from './entry-at.js';
import { fault, note, ok, type Finding } from './finding.js';

const OPEN_TO_OTHERS = 0o077;

/** Whether the updater can write where it has to, nobody else can, and there is room. */
export async function checkFolders(configuration: Configuration): Promise<Finding[]> {
  const { workDir, managedRoot, extraRoots } = configuration;
  const logs = join(workDir, 'logs');
  const findings = [];
  for (const path of [workDir, join(workDir, 'tmp'), logs, managedRoot, ...extraRoots])
    findings.push(await folder(path, WRITABLE_BY_OTHERS));
  findings.push(await folder(storeFolder(managedRoot), OPEN_TO_OTHERS));
  for (const path of new Set([workDir, managedRoot, ...extraRoots])) findings.push(...(await room(path)));
  return findings;
}

async function folder(path: string, forbidden: number): Promise<Finding> {
  const entry = await entryAt(path);
  if (entry === null)
    return note('folder', `${path} is not there yet`, 'the updater makes it when it starts');
  if (!entry.isDirectory()) return fault('folder', `${path} is no folder`, 'move it away');
  const mode = entry.mode & 0o7777;
  const open = mode & forbidden;
  if (open !== 0 && (mode & 0o1000) === 0)
    return fault(
      'folder',
      `${path} has mode 0${mode.toString(8)}`,
      `chmod 0${(mode & ~forbidden).toString(8)} ${path}`,
    );
  if (entry.uid !== 0 && entry.uid !== process.geteuid?.())
    return fault('folder', `${path} belongs to user ${entry.uid}`, `chown root ${path}`);
  try {
    await access(path, constants.W_OK);
  } catch (error) {
    const why = wordsOf(error);
    return fault(
      'folder',
      `${path} cannot be written: ${why}`,
      'mount it writable, or call the doctor as root',
    );
  }
  return ok('folder', `${path} can be written`);
}

async function room(path: string): Promise<Finding[]> {
  if ((await entryAt(path)) === null) return [];
  const free = await freeBytes(path);
  const words = `${path}: ${Math.floor(free / 1e6)} MB free`;
  if (free >= RESERVE_BYTES) return [ok('room', words)];
  return [
    fault('room', `${words}, ${Math.ceil(RESERVE_BYTES / 1e6)} MB are needed at least`, 'make room there'),
  ];
}
