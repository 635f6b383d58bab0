import { readlinkSync } from 'node:fs';
import { open } from 'node:fs/promises';
import type { StepName } from '../../services/steps.js';

interface LostSync {
  step: StepName;
  /** What is synced, by its path: several steps may be going on at once. */
  path: RegExp;
  /** What would make it show: whether all names that were changed so far are on the disk, or none. */
  neighbour: boolean;
}

/** The syncs that a control run can take out; with any of them gone the campaign must find a broken device. */
export const LOST_SYNCS = {
  'journal-mark': { step: 'journal.mark', path: /\/journal$/, neighbour: true },
  'switched-folders': { step: 'switch.sync', path: /^(?!.*\/work\/tmp)/, neighbour: false },
  'undone-folders': { step: 'undo.sync', path: /^(?!.*\/work\/tmp)/, neighbour: false },
  'staged-files': { step: 'staging.sync', path: /\/staging\/new\/\d+$/, neighbour: true },
  'state-save': { step: 'state.save', path: /\/work\/tmp(?:\/\.state\.json\.tmp)?$/, neighbour: false },
  partial: { step: 'partial.sync', path: /\.zip\.part$/, neighbour: false },
} as const satisfies Record<string, LostSync>;

export type LostSyncName = keyof typeof LOST_SYNCS;

export function isLostSyncName(name: string): name is LostSyncName {
  return Object.hasOwn(LOST_SYNCS, name);
}

/**
 * Makes fsync and fdatasync of this process do nothing while a step is going on, for the paths that the control names.
 * `isOpen` tells whether the step has begun and not ended.
 */
export async function loseSyncs(name: LostSyncName, isOpen: (step: StepName) => boolean): Promise<void> {
  const { step, path } = LOST_SYNCS[name];
  const probe = await open('/dev/null');
  const prototype: unknown = Object.getPrototypeOf(probe);
  await probe.close();
  if (typeof prototype !== 'object' || prototype === null) throw new Error('a file handle has no prototype');
  for (const call of ['sync', 'datasync']) {
    const real: unknown = Reflect.get(prototype, call);
    if (typeof real !== 'function') throw new Error(`a file handle cannot ${call}`);
    Reflect.set(prototype, call, function (this: { fd: number }): Promise<unknown> {
      const isLost = isOpen(step) && path.test(readlinkSync(`/proc/self/fd/${this.fd}`));
      return isLost ? Promise.resolve() : Promise.resolve(Reflect.apply(real, this, []));
    });
  }
}
