import type { AnyStateMachine } from 'xstate';
import { isSystemError, look, readText, removeFile, renameFile, syncFolder } from '../disk.js';
import type { Log } from '../log.js';
import { passGate, type Restored } from './restore-gate.js';
import { statePaths } from './saved-state.js';

export interface ReadState {
  restored: Restored | null;
  /** Both files were there and neither could be used: nothing of the work folder can be trusted. */
  isLost: boolean;
}

/** Far more than any state has. */
const MOST_BYTES = 16 * 1024 * 1024;

/**
 * Reads the saved state: the newest file that passes the gate, else the one before it, else none. Files that cannot be
 * used are put aside as `state.json.corrupt-<time>`, with one ERROR line. Never throws: the service always starts.
 */
export async function readState(tmpDir: string, machine: AnyStateMachine, log: Log): Promise<ReadState> {
  const { state, backup } = statePaths(tmpDir);
  const problems: string[] = [];
  for (const path of [state, backup]) {
    try {
      const text = await readStateFile(path);
      if (text === null) continue;
      const restored = passGate(text, machine);
      if (problems.length > 0) {
        log.error('the saved state could not be used: the one before it is', { why: problems.join('; ') });
        await putAside(state, log);
      }
      return { restored, isLost: false };
    } catch (error) {
      problems.push(`${path}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  if (problems.length === 0) return { restored: null, isLost: false };
  log.error('no saved state could be used: starting in idle', { why: problems.join('; ') });
  await putAside(state, log);
  await putAside(backup, log);
  return { restored: null, isLost: true };
}

/** The text of a state file, or null. Never waits (a FIFO) and never reads what cannot be a state. */
async function readStateFile(path: string): Promise<string | null> {
  const entry = await look(path);
  if (entry === null) return null;
  if (!entry.isFile()) throw new Error('it is no regular file');
  if (entry.size > MOST_BYTES) throw new Error(`it has ${entry.size} bytes`);
  return readText(path);
}

async function putAside(path: string, log: Log): Promise<void> {
  try {
    if ((await look(path)) === null) return;
    const aside = `${path.replace(/\.bak$/, '')}.corrupt-${new Date().toISOString().replace(/:/g, '-')}`;
    await renameFile('state.putAside', path, await freeName(aside));
    await syncFolder('state.putAside', path.slice(0, path.lastIndexOf('/')));
  } catch (error) {
    if (!isSystemError(error)) throw error;
    log.error('a state file that cannot be used could not be put aside', { path, why: error.message });
  }
}

async function freeName(path: string): Promise<string> {
  for (let n = 1; n < 100; n++) {
    const name = n === 1 ? path : `${path}+${n}`;
    if ((await look(name)) === null) return name;
  }
  await removeFile('state.putAside', path);
  return path;
}
