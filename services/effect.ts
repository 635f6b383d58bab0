import { fromPromise } from 'xstate';
import { toUpdateError, UpdateError, type ErrorCode } from '../machines/errors.js';
import { isSystemError } from './disk.js';

/** What every effect needs: the save it waits for, and how far its stage is. */
export interface EffectContext {
  /** Answers when the newest state is on disk; rejects when it could not be saved. */
  saved: () => Promise<void>;
  /** Percent of the stage that is going on, for an error to tell where it stopped. */
  percent: () => number;
}

export type Work<Input, Output> = (input: Input, signal: AbortSignal) => Promise<Output>;

/**
 * Makes the actors that act on the world, and is the one barrier that makes "saved before acted" true: an effect yields
 * (so that the state that invoked it is queued to be saved), waits for that save, looks whether it is still wanted, and
 * only then acts. Effects follow each other: one that was left goes to its end before the next begins, so that two
 * never touch the disk at once.
 */
export class Effects {
  readonly #context: EffectContext;
  #last: Promise<unknown> = Promise.resolve();

  constructor(context: EffectContext) {
    this.#context = context;
  }

  /**
   * An effect that goes forward: it does not begin before the state that says so is saved. What the operating system
   * refuses becomes an error of the code `refused`, a full disk DISK_FULL.
   */
  forward<Input, Output>(work: Work<Input, Output>, refused: ErrorCode = 'INTERNAL_ERROR') {
    return this.#effect(work, () => this.#context.saved(), refused);
  }

  /** An effect that goes back (undoing, starting services again): it waits for no save, the journal is enough. */
  back<Input, Output>(work: Work<Input, Output>, refused: ErrorCode = 'INTERNAL_ERROR') {
    return this.#effect(work, () => Promise.resolve(), refused);
  }

  /** Answers when no effect is going on. */
  async idle(): Promise<void> {
    await this.#last;
  }

  #effect<Input, Output>(work: Work<Input, Output>, barrier: () => Promise<void>, refused: ErrorCode) {
    return fromPromise<Output, Input>(async ({ input, signal }) => {
      const before = this.#last;
      let end: () => void = () => undefined;
      this.#last = new Promise<void>((resolve) => (end = resolve));
      try {
        await before;
        await barrier();
        if (signal.aborted) throw new UpdateError('CANCELLED', 'another event came first');
        return await work(input, signal);
      } catch (thrown) {
        const error = namedError(thrown, refused);
        throw new UpdateError(error.code, error.message, {
          progress: this.#context.percent(),
          ...error.facts,
        });
      } finally {
        end();
      }
    });
  }
}

/** An error of the table for what was thrown: the operating system's own errors tell what they were about. */
function namedError(thrown: unknown, refused: ErrorCode): UpdateError {
  if (isSystemError(thrown, 'ENOSPC', 'EDQUOT')) {
    return new UpdateError('DISK_FULL', `no room is left (${thrown.message})`, { cause: thrown });
  }
  return isSystemError(thrown)
    ? new UpdateError(refused, thrown.message, { cause: thrown })
    : toUpdateError(thrown);
}
