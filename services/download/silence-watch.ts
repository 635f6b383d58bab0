/** Notices that nothing was heard for too long. Only time spent waiting counts, not time spent writing to disk. */
export class SilenceWatch {
  readonly #limitMs: number;
  readonly #controller = new AbortController();
  #timer: NodeJS.Timeout | null = null;

  constructor(limitMs: number) {
    this.#limitMs = limitMs;
  }

  /** Aborted once it was silent for too long. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** From now on it is expected that something is heard. */
  listen(): void {
    this.rest();
    this.#timer = setTimeout(() => this.#controller.abort(), this.#limitMs);
  }

  /** Something was heard, or nothing is expected. */
  rest(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}
