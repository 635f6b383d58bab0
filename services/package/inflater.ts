import { constants, createInflateRaw, type InflateRaw } from 'node:zlib';
import { noteDeadBuffer } from './dead-buffers.js';

/** Takes the next bytes; they are good until the promise settles. */
type Taker = (chunk: Buffer) => Promise<void>;

const INFLATED_BYTES = 256 * 1024;

/**
 * Inflates one entry after the other with one zlib stream. A stream for each would leave its buffers behind until V8
 * collects all its garbage: 30 MiB over the 400 files of a large package.
 */
export class Inflater {
  #idle: InflateRaw | null = null;

  /**
   * Inflates the bytes that `feed` hands over, piece by piece; answers with how many of them zlib has used: fewer where
   * more follow the end of the data. Throws zlib's error (its code begins with `Z_`) where they are damaged or end too
   * early, and whatever `feed` and `take` throw.
   */
  async inflate(feed: (write: Taker) => Promise<void>, take: Taker): Promise<number> {
    const stream = this.#idle ?? makeStream();
    this.#idle = null;
    const before = stream.bytesWritten;
    try {
      await feed((piece) => pour(stream, (done) => stream.write(piece, done), take));
      if (!isAtEnd(stream)) await pour(stream, (done) => stream.flush(constants.Z_FINISH, done), take);
      const used = stream.bytesWritten - before;
      if (isAtEnd(stream)) return used;
      stream.reset();
      this.#idle = stream;
      return used;
    } finally {
      if (this.#idle !== stream) stream.destroy();
    }
  }

  close(): void {
    this.#idle?.destroy();
    this.#idle = null;
  }
}

function makeStream(): InflateRaw {
  const stream = createInflateRaw({ chunkSize: INFLATED_BYTES });
  // Whoever pours hears of an error before it is emitted, and may listen no more.
  return stream.on('error', () => undefined);
}

/** A stream that was given more than its data has ended, and cannot be used again. */
function isAtEnd(stream: InflateRaw): boolean {
  return stream.readableEnded || stream.destroyed;
}

/** Hands a piece to zlib and takes what comes out, until zlib is done with it. */
async function pour(
  stream: InflateRaw,
  give: (done: (error?: Error | null) => void) => void,
  take: Taker,
): Promise<void> {
  if (isAtEnd(stream)) return;
  const state: { isDone: boolean; error: Error | null } = { isDone: false, error: null };
  let wake: () => void = () => undefined;
  const look = () => wake();
  const finish = (error?: Error | null) => {
    state.isDone = true;
    state.error ??= error ?? null;
    wake();
  };
  stream.on('readable', look).on('end', finish).on('error', finish);
  try {
    give(finish);
    for (;;) {
      const chunk: unknown = stream.read();
      if (state.error !== null) throw state.error;
      if (chunk instanceof Buffer) {
        await take(chunk);
        noteDeadBuffer(chunk.length);
      } else if (state.isDone) return;
      else await new Promise<void>((resolve) => (wake = resolve));
    }
  } finally {
    stream.off('readable', look).off('end', finish).off('error', finish);
  }
}
