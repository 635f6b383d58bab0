import type { Log } from '../log/log.js';
import { undoFiles } from './undo-deployment.js';
import { Journal } from './journal.js';
import { needMountedRoots } from './mounted-roots.js';
import type { Store } from './store.js';
import { applySwitch } from './apply-switch.js';

/** A version that hangs the board never lets its service count, so the boots are counted: this one undoes it. */
const BOOTS_UNTIL_UNDONE = 3;

export interface Recovery {
  /** One line for people: what was found and what was done. */
  words: string;
  /** A unit file was touched: systemd has loaded the other version and must read it anew. */
  needsReload: boolean;
}

/**
 * Brings the files to wholly old or wholly new from the journal alone, with no service running (the oneshot before any
 * ordinary unit). A journal in phase stopping is left alone; any other is marked undone or switched for the service to
 * read, which alone removes it. Each boot is counted once, by its id: a run by hand is no boot. Throws where it cannot be
 * done; nothing is worse then than before.
 */
export async function recoverFiles(store: Store, bootId: string, log: Log): Promise<Recovery> {
  const journal = await Journal.read(store.journalPath);
  if (journal === null) return { words: 'no deployment was cut: nothing to do', needsReload: false };
  const { phase, hasSwitched } = journal.head;
  const { to, from, purpose, unitFilesChange } = journal.body;
  const what = `${purpose} ${from?.version ?? 'as found'} -> ${to.version} was cut while ${phase}`;
  await needMountedRoots(journal);
  if (phase === 'stopping') return { words: `${what}: no file was touched yet`, needsReload: false };
  if (phase === 'undone') {
    const words = `${what}: ${hasSwitched ? 'the files are back already' : 'no file was touched'}`;
    return { words, needsReload: unitFilesChange };
  }
  if (purpose === 'factory') {
    if (phase === 'switching') await applySwitch(journal);
    return { words: `${what}: finished, the files are ${to.version}`, needsReload: unitFilesChange };
  }
  if (phase === 'switched') {
    const boots = await countBoot(journal, bootId);
    if (boots < BOOTS_UNTIL_UNDONE) {
      return { words: `${what}: the files are ${to.version}`, needsReload: unitFilesChange };
    }
    const message = `boot ${boots} of ${to.version} without its services having settled`;
    await journal.mark({ phase: 'undoing', cause: { code: 'HEALTH_CHECK_FAILED', message } });
  } else if (phase === 'switching') {
    const message = 'interrupted while switching (power cut or kill)';
    await journal.mark({ phase: 'undoing', cause: { code: 'DEPLOYMENT_FAILED', message } });
  }
  await undoFiles(journal, { store, log });
  return {
    words: `${what}: undone, the files are ${from?.version ?? 'as found'}`,
    needsReload: unitFilesChange,
  };
}

/** Answers with the boots that have found the journal switched, this one among them. */
async function countBoot(journal: Journal, bootId: string): Promise<number> {
  const { boots, lastBoot } = journal.head;
  if (lastBoot === bootId) return boots;
  await journal.mark({ boots: boots + 1, lastBoot: bootId });
  return boots + 1;
}
