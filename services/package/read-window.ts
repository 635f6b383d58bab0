import type { FileHandle } from 'node:fs/promises';
import { RandomAccessReader } from 'yauzl';

const WINDOW_BYTES = 64 * 1024;

/**
 * Reads small records of a file that stand one after the other (the central directory, local headers) without one
 * system call for each: a window of 64 KiB moves along with the reader.
 */
export class ReadWindow {
  readonly #file: FileHandle;
  readonly #buffer = Buffer.allocUnsafe(WINDOW_BYTES);
  #start = 0;
  #length = 0;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  /** The bytes there; good until the next call. Throws where the file ends before them. */
  async view(position: number, length: number): Promise<Buffer> {
    if (length > this.#buffer.length) return await this.#readWhole(Buffer.allocUnsafe(length), position);
    if (position < this.#start || position + length > this.#start + this.#length) {
      const { bytesRead } = await this.#file.read(this.#buffer, 0, this.#buffer.length, position);
      this.#start = position;
      this.#length = bytesRead;
      if (bytesRead < length) throw new Error('unexpected end of the file');
    }
    const from = position - this.#start;
    return this.#buffer.subarray(from, from + length);
  }

  async #readWhole(into: Buffer, position: number): Promise<Buffer> {
    for (let filled = 0; filled < into.length;) {
      const { bytesRead } = await this.#file.read(into, filled, into.length - filled, position + filled);
      if (bytesRead === 0) throw new Error('unexpected end of the file');
      filled += bytesRead;
    }
    return into;
  }
}

/** The window as yauzl reads through it; closing the file is left to whoever opened it. */
export class WindowedReader extends RandomAccessReader {
  readonly #window: ReadWindow;

  constructor(window: ReadWindow) {
    super();
    this.#window = window;
  }

  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null) => void,
  ): void {
    this.#window.view(position, length).then(
      (bytes) => {
        bytes.copy(buffer, offset);
        callback(null);
      },
      (error: unknown) => callback(error instanceof Error ? error : new Error(String(error))),
    );
  }
}
