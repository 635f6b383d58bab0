import { watchSteps, type StepName } from '../../services/steps.js';

/** What a cut throws: the process would be gone here. */
export class Cut extends Error {
  override readonly name = 'Cut';
}

export interface CutWork {
  /** Whether the cut came before the end. */
  wasCut: boolean;
  /** The moment of the cut: `switch.rename before`. */
  moment: string;
}

/**
 * Runs work and ends it at its n-th moment, counted from 0, before the change of that moment is made; everything after
 * fails too, as in a process that is gone. The moment `after` of a step is the same as `before` of the next.
 */
export async function cutAt(n: number, work: () => Promise<unknown>, only?: StepName): Promise<CutWork> {
  let count = 0;
  let moment = '';
  watchSteps((name, at) => {
    if (at === 'after' || (only !== undefined && name !== only)) return;
    if (count++ < n) return;
    if (moment === '') moment = `${name} ${at}`;
    throw new Cut(`cut at ${moment}`);
  });
  try {
    await work();
  } catch (error) {
    if (!(error instanceof Cut)) throw error;
  } finally {
    watchSteps(null);
  }
  return { wasCut: moment !== '', moment };
}
