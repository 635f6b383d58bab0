/** Something that is waited for: open at first; a test can close it, and then open it or make the waiting ones fail. */
export class Gate {
  #waiting: { resolve: () => void; reject: (error: Error) => void }[] = [];
  #isClosed = false;
  #error: Error | null = null;

  /** Answers when the gate is open; rejects when it is made to fail. */
  passed(): Promise<void> {
    if (this.#error !== null) return Promise.reject(this.#error);
    if (!this.#isClosed) return Promise.resolve();
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  close(): void {
    this.#isClosed = true;
  }

  open(): void {
    this.#isClosed = false;
    for (const { resolve } of this.#waiting.splice(0)) resolve();
  }

  /** From now on, and for those that wait already. */
  fail(error: Error): void {
    this.#error = error;
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }

  /** How many wait before it. */
  get waiting(): number {
    return this.#waiting.length;
  }
}
