import { UpdateError } from '../../machines/errors.js';

/** More are counted, not told: a hostile manifest can hold a hundred thousand. */
const MOST_TOLD = 20;

/** Gathers what is wrong with a manifest, so that one answer names every bad field. */
export class Problems {
  readonly #told: string[] = [];
  #count = 0;

  /** `field` is a path like `modules[2].dst`; the rest says its value and what was expected. */
  add(field: string, problem: string): void {
    this.#count += 1;
    if (this.#told.length < MOST_TOLD) this.#told.push(`${field} ${problem}`);
  }

  /** Throws INVALID_MANIFEST (to be discarded) with all that was added; does nothing where that is nothing. */
  throwIfAny(): void {
    if (this.#count === 0) return;
    const more = this.#count - this.#told.length;
    const words = this.#told.join('; ') + (more > 0 ? `; and ${more} more` : '');
    throw new UpdateError('INVALID_MANIFEST', words, { discard: true });
  }
}
