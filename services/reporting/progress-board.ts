import { FIRST_WORDS, type Progress, type TopState } from '../../machines/stage.js';

export type ProgressListener = (state: TopState, progress: Progress) => void;

/**
 * How far the stage that is going on has got. Kept outside the machine's snapshot: it changes too often to be saved.
 * Within a stage the percent never goes backwards.
 */
export class ProgressBoard {
  #state: TopState = 'idle';
  #progress: Progress = FIRST_WORDS.idle;
  readonly #listeners = new Set<ProgressListener>();

  /** A new stage begins with its first words. The same stage again changes nothing. */
  enter(state: TopState, words: Progress): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#progress = words;
  }

  /** Tells how far the current stage is; `percent` is cut to an integer from 0 to 100. */
  tell(percent: number, message: string): void {
    const whole = Math.min(100, Math.max(0, Math.floor(percent)));
    const next = { percent: Math.max(whole, this.#progress.percent), message };
    const isNews = next.percent !== this.#progress.percent || message !== this.#progress.message;
    this.#progress = next;
    if (isNews) for (const listener of this.#listeners) listener(this.#state, next);
  }

  /** How far the given stage is; its first words where the board is still at another one. */
  read(state: TopState): Progress {
    return state === this.#state ? this.#progress : FIRST_WORDS[state];
  }

  /** Calls back at each change; returns how to stop that. */
  listen(listener: ProgressListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
