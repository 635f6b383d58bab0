import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { AnyStateMachine } from 'xstate';
import { isSystemError, look, readText, removeTree, renameFile, syncFolder } from '../disk.js';
import type { Log } from '../log/log.js';
import { passGate, type Restored } from './restore-gate.js';
import { statePaths } from './saved-state.js';

/** More than any state that was ever saved: such a file is not read into memory. */
const MOST_BYTES = 4 * 1024 * 1024;

/** So many files that could not be used are kept for whoever looks into it. */
const KEPT_ASIDE = 3;

/**
 * Reads the saved state: the newest file that passes the gate, else the one before it, else none. Files that cannot be
 * used are put aside as `state.json.corrupt-<time>`, with one ERROR line; with null the machine starts in idle, which
 * removes what is left of packages. Never throws: the service always starts.
 */
export async function readState(
  tmpDir: string,
  machine: AnyStateMachine,
  log: Log,
): Promise<Restored | null> {
  const { state, backup } = statePaths(tmpDir);
  const problems: string[] = [];
  for (const path of [state, backup]) {
    try {
      const text = await stateText(path);
      if (text === null) continue;
      const restored = passGate(text, machine);
      if (problems.length > 0) {
        log.error('the saved state could not be used: the one before it is', { why: problems.join('; ') });
        await putAside(state, log);
      }
      if (path === state) await clearBackup(backup, log);
      return restored;
    } catch (error) {
      problems.push(`${path}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  if (problems.length === 0) return null;
  log.error('no saved state could be used: starting in idle', { why: problems.join('; ') });
  await putAside(state, log);
  await putAside(backup, log);
  return null;
}

/** The text of a state file; null where there is none. Throws an Error that says why it is not to be read. */
async function stateText(path: string): Promise<string | null> {
  const entry = await look(path);
  if (entry === null) return null;
  if (!entry.isFile()) throw new Error('it is no regular file');
  if (entry.size > MOST_BYTES)
    throw new Error(`it has ${entry.size} bytes, ${MOST_BYTES} at most are expected`);
  return readText(path);
}

/** A backup that is not needed is not read, but each save replaces it: it must be a file. */
async function clearBackup(backup: string, log: Log): Promise<void> {
  const entry = await look(backup);
  if (entry === null || entry.isFile()) return;
  log.error('the state before the saved one could not be used', { why: `${backup}: it is no regular file` });
  await putAside(backup, log);
}

async function putAside(path: string, log: Log): Promise<void> {
  try {
    if ((await look(path)) === null) return;
    const aside = `${path.replace(/\.bak$/, '')}.corrupt-${new Date().toISOString().replace(/:/g, '-')}`;
    await renameFile('state.putAside', path, await freeName(aside));
    await dropOldest(dirname(path), `${basename(path, '.bak')}.corrupt-`);
    await syncFolder('state.putAside', dirname(path));
  } catch (error) {
    if (!isSystemError(error)) throw error;
    log.error('a state file that cannot be used could not be put aside', { path, why: error.message });
  }
}

/** Names hold the time, so their order is that of the times. */
async function dropOldest(folder: string, prefix: string): Promise<void> {
  const aside = (await readdir(folder)).filter((name) => name.startsWith(prefix)).sort();
  for (const name of aside.slice(0, -KEPT_ASIDE)) await removeTree('state.putAside', join(folder, name));
}

async function freeName(path: string): Promise<string> {
  for (let n = 2, name = path; ; name = `${path}+${n++}`) if ((await look(name)) === null) return name;
}
