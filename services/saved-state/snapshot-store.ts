import { UpdateError } from '../../machines/errors.js';
import { isSystemError, linkFile, look, removeTree, renameFile, writeDurably } from '../disk.js';
import type { Log } from '../log/log.js';
import { giveUpReserve } from './reserve.js';
import { encodeState, NO_RESTORES, statePaths, type Restores } from './saved-state.js';

/**
 * Saves the machine's snapshots, asynchronously and one after the other: an fsync takes up to 300 ms on an eMMC, and
 * nobody who only reads may wait for it. Where several wait, only the newest is written.
 */
export class SnapshotStore {
  readonly #tmpDir: string;
  readonly #log: Log;
  #restores: Restores = NO_RESTORES;
  #wanted: { snapshot: unknown } | null = null;
  /** The newest snapshot, where it could not be saved. */
  #unsaved: { snapshot: unknown } | null = null;
  #toldFailure = '';
  #saving: Promise<void> = Promise.resolve();
  #last = '';
  #isClosed = false;

  constructor(tmpDir: string, log: Log) {
    this.#tmpDir = tmpDir;
    this.#log = log;
  }

  /** Restores are counted in the envelope; the count is forgotten once the machine is in another top-level state. */
  countRestores(restores: Restores): void {
    this.#restores = restores;
  }

  /** Queues a snapshot. The same one again costs nothing. */
  queue(snapshot: unknown, topState: string): void {
    if (this.#isClosed) return;
    if (topState !== this.#restores.state) this.#restores = NO_RESTORES;
    const text = JSON.stringify([snapshot, this.#restores]);
    if (text === this.#last) return;
    this.#last = text;
    this.#enqueue({ snapshot });
  }

  /**
   * Answers when the newest queued snapshot is on disk; one that could not be saved is tried again, so that nobody is
   * told of a full disk that has room by now. Throws DISK_FULL or INTERNAL_ERROR where it cannot be saved.
   */
  saved(): Promise<void> {
    if (this.#unsaved !== null && !this.#isClosed) this.#enqueue(this.#unsaved);
    return this.#saving;
  }

  /** From now on nothing is saved: a snapshot taken after the machine has stopped is inert. */
  close(): void {
    this.#isClosed = true;
  }

  #enqueue(wanted: { snapshot: unknown }): void {
    const isIdle = this.#wanted === null;
    this.#wanted = wanted;
    this.#unsaved = null;
    if (!isIdle) return;
    this.#saving = this.#saving.catch(() => undefined).then(() => this.#saveNewest());
    // Whoever needs the save asks saved(); here it is only kept from counting as unhandled.
    this.#saving.catch(() => undefined);
  }

  /** One that is queued by now is newer, and gets a turn of its own. */
  #holdBack(unsaved: { snapshot: unknown }): void {
    if (this.#wanted === null) this.#unsaved = unsaved;
  }

  async #saveNewest(): Promise<void> {
    // What is queued while this one is being written replaces it in the queue and gets a turn of its own.
    const wanted = this.#wanted;
    this.#wanted = null;
    if (wanted === null) return;
    const text = encodeState(wanted.snapshot, this.#restores, new Date().toISOString());
    try {
      await this.#write(text);
      this.#toldFailure = '';
    } catch (error) {
      this.#last = '';
      this.#holdBack(wanted);
      throw await this.#afterFailure(error, text);
    }
  }

  async #afterFailure(error: unknown, text: string): Promise<UpdateError> {
    if (isSystemError(error, 'ENOSPC', 'EDQUOT')) {
      const isFreed = await giveUpReserve(this.#tmpDir, this.#log);
      if (isFreed) await this.#write(text).catch((again: unknown) => this.#tell(String(again)));
      return new UpdateError(
        'DISK_FULL',
        `the state could not be saved in ${this.#tmpDir}: no room on the disk`,
        { cause: error },
      );
    }
    const why = error instanceof Error ? error.message : String(error);
    this.#tell(why);
    return new UpdateError('INTERNAL_ERROR', `the state could not be saved: ${why}`, { cause: error });
  }

  /** Once for the tries in a row that fail for the same reason: whoever asks for the health may ask often. */
  #tell(why: string): void {
    if (why === this.#toldFailure) return;
    this.#toldFailure = why;
    this.#log.error('the state could not be saved', { why });
  }

  async #write(text: string): Promise<void> {
    const { state, backup } = statePaths(this.#tmpDir);
    if ((await look(state)) !== null) {
      const temporary = `${backup}.tmp`;
      await removeTree('state.backup', temporary);
      await linkFile('state.backup', state, temporary);
      await renameFile('state.backup', temporary, backup);
    }
    await writeDurably('state.save', state, text, 0o600);
  }
}
