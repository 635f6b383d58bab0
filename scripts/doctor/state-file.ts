import { readdir } from 'node:fs/promises';
import { wordsOf } from '../../machines/errors.js';
import { updateMachine } from '../../machines/update-machine.js';
import { statePath } from '../../machines/stage.js';
import { Journal } from '../../services/deployment/journal.js';
import type { Store } from '../../services/deployment/store.js';
import { look, readText } from '../../services/disk.js';
import { passGate } from '../../services/saved-state/restore-gate.js';
import { statePaths } from '../../services/saved-state/saved-state.js';
import { tmpDirOf } from '../../services/work-folder.js';
import { fault, note, ok, type Finding } from './finding.js';

const OPEN_TO_OTHERS = 0o077;

/** Whether the saved state can be gone on with, and whether nobody else can read the credential in it. */
export async function checkStateFile(workDir: string): Promise<Finding[]> {
  const tmpDir = tmpDirOf(workDir);
  const { state } = statePaths(tmpDir);
  const entry = await look(state);
  if (entry === null) return [ok('state', `${state} is not there yet: the updater starts in idle`)];
  const aside = (await readdir(tmpDir)).filter((name) => name.startsWith('state.json.corrupt-'));
  const mode = entry.mode & 0o7777;
  return [
    await usable(state),
    ...((mode & OPEN_TO_OTHERS) === 0
      ? []
      : [
          fault(
            'state',
            `${state} has mode 0${mode.toString(8)} and may hold a credential`,
            `chmod 0600 ${state}`,
          ),
        ]),
    ...(aside.length === 0
      ? []
      : [
          note(
            'state',
            `${aside.length} damaged states were put aside in ${tmpDir}`,
            'send them to support, then remove them',
          ),
        ]),
  ];
}

async function usable(path: string): Promise<Finding> {
  try {
    const { snapshot } = passGate((await readText(path)) ?? '', updateMachine);
    return ok('state', `${path} is whole: ${statePath('value' in snapshot ? snapshot.value : '')}`);
  } catch (error) {
    const why = wordsOf(error);
    return fault(
      'state',
      `${path} cannot be used: ${why}`,
      'restart the updater: it puts the file aside and goes on',
    );
  }
}

/** Whether a deployment is going on, or was cut. */
export async function checkJournal(store: Store): Promise<Finding[]> {
  const journal = await Journal.read(store.journalPath);
  if (journal === null) return [ok('journal', 'no deployment is open')];
  const { purpose, to } = journal.body;
  const words = `an open ${purpose} to ${to.version}, ${journal.head.phase}`;
  return [note('journal', words, 'where the updater does not run: tope-updater recover, then start it')];
}
