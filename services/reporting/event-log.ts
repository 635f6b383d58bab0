import type { StreamItem, Transition } from '../../machines/views.js';

const KEPT_TRANSITIONS = 200;
const KEPT_ITEMS = 500;

/** What happened of late: the last transitions, and the items that a stream of events can go on from. */
export class EventLog {
  #nextId: number;
  #items: StreamItem[] = [];
  #transitions: Transition[] = [];
  readonly #listeners = new Set<(item: StreamItem) => void>();

  /** Ids go on from the wall clock, so that those of the process before are older than all of this one's. */
  constructor(firstId: number = Date.now()) {
    this.#nextId = firstId;
  }

  transition(row: Omit<Transition, 'id'>): void {
    const data = { id: this.#nextId++, ...row };
    this.#transitions = [...this.#transitions, data].slice(-KEPT_TRANSITIONS);
    this.#tell({ id: data.id, type: 'transition', data });
  }

  progress(data: { stage: string; progress: number; message: string }): void {
    this.#tell({ id: this.#nextId++, type: 'progress', data });
  }

  transitions(): readonly Transition[] {
    return this.#transitions;
  }

  /**
   * Calls back for each item from now on; kept items after `afterId` come first. An id that is not given out yet is of a
   * process before whose clock was ahead: all kept items come. Returns how to end.
   */
  stream(afterId: number | null, listener: (item: StreamItem) => void): () => void {
    const last = afterId !== null && afterId >= this.#nextId ? -1 : afterId;
    if (last !== null) for (const item of this.#items) if (item.id > last) listener(item);
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #tell(item: StreamItem): void {
    this.#items = [...this.#items, item].slice(-KEPT_ITEMS);
    for (const listener of this.#listeners) listener(item);
  }
}
