import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

/** The last bytes of a stream; what comes before them is not kept. */
export class Tail {
  readonly #stream: Readable;
  readonly #ended: Promise<void>;
  #bytes = Buffer.alloc(0);

  constructor(stream: Readable, limit: number) {
    this.#stream = stream;
    stream.on('data', (chunk: Buffer) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk]).subarray(-limit);
    });
    this.#ended = new Promise((resolve) => stream.once('close', resolve));
  }

  /** What came until the stream ended, or until so many ms from now if it does not end. */
  async text(patienceMs: number): Promise<string> {
    const given = new AbortController();
    await Promise.race([
      this.#ended,
      sleep(patienceMs, undefined, { signal: given.signal }).catch(() => undefined),
    ]);
    given.abort();
    this.#stream.destroy();
    return this.#bytes.toString('utf8');
  }
}
