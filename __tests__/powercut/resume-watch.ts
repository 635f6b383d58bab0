import { SYNC_EVERY_BYTES } from '../../services/download/partial.js';
import type { Order } from './order.js';
import type { PluggedDevice } from './plugged-device.js';

/** Watches that what had come in is fetched again only as far as it was not synced, and never twice. */
export class ResumeWatch {
  /** Bytes that had come in and were asked for again; the most of all cuts. */
  refetched = 0;
  readonly #device: PluggedDevice;
  readonly #order: Order | null;
  #hadBytes = 0;
  #requestsBefore = 0;

  constructor(device: PluggedDevice, order: Order | null) {
    this.#device = device;
    this.#order = order;
  }

  /** The updater is held; what it has got so far is what a cut can cost. */
  async beforeCut(): Promise<void> {
    this.#count();
    const wish = this.#order?.wish;
    const { length } = this.#device.server.ranges;
    const bytes = wish?.kind === 'download' ? await this.#device.bytesOf(wish.built) : 0;
    // Cut again before it asked again: what the first cut took is not forgotten.
    this.#hadBytes = length === this.#requestsBefore ? Math.max(this.#hadBytes, bytes) : bytes;
    this.#requestsBefore = length;
  }

  /** What was wrong since the last cut; asked once the download has ended. */
  get problems(): string[] {
    this.#count();
    const requests = this.#device.server.ranges.length - this.#requestsBefore;
    return [
      ...(requests > 1 ? [`the download was asked for ${requests} times after the cut`] : []),
      ...(this.refetched > SYNC_EVERY_BYTES ? [`${this.refetched} bytes were fetched again`] : []),
    ];
  }

  #count(): void {
    const range = this.#device.server.ranges[this.#requestsBefore];
    if (range === undefined || this.#hadBytes === 0) return;
    const from = Number(/^bytes=(\d+)-$/.exec(range)?.[1] ?? 0);
    this.refetched = Math.max(this.refetched, this.#hadBytes - from);
  }
}
