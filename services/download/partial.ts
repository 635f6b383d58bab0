import { constants, writeSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import type { PackageIdentity } from '../../machines/package-order.js';
import { look, openForWriting, removeFile, renameFile, syncFile, syncFolder } from '../disk.js';
import { step } from '../steps.js';
import { packagePath, partialNotesPath, partialPath } from '../work-folder.js';
import { readNotes, writeNotes, type PartialNotes } from './partial-notes.js';
import type { Validator } from './validator.js';

/** A power cut costs at most so many bytes; each fsync costs an eMMC some of its life. */
export const SYNC_EVERY_BYTES = 8 * 1024 * 1024;

/** How many bytes of a package's partial can be built upon. */
export async function trustedBytes(
  tmpDir: string,
  identity: PackageIdentity,
  bootId: string,
): Promise<number> {
  const notes = await readNotes(tmpDir, identity);
  const there = await look(partialPath(tmpDir, identity));
  return notes === null || !there?.isFile() || there.size > identity.size
    ? 0
    : trustedLength(there.size, notes, bootId);
}

/** In the boot that wrote it every byte counts, in another one only what was fsynced. */
function trustedLength(length: number, notes: PartialNotes, bootId: string): number {
  return notes.bootId === bootId ? length : Math.min(length, notes.syncedBytes);
}

/**
 * The bytes of a package that have come in so far, on disk. The notes beside them are always written before the bytes
 * that they speak of, so that bytes without notes, or with wrong ones, are never built upon.
 */
export class Partial {
  readonly #tmpDir: string;
  readonly #path: string;
  #notes: PartialNotes;
  #file: FileHandle | null = null;
  #length = 0;
  #arrived = 0;

  private constructor(tmpDir: string, notes: PartialNotes) {
    this.#tmpDir = tmpDir;
    this.#path = partialPath(tmpDir, notes.identity);
    this.#notes = notes;
  }

  /**
   * Takes up what is on disk of a package. In the boot that wrote it every byte counts (after an fsync); in another
   * one only what was fsynced. What cannot be trusted is dropped.
   */
  static async open(tmpDir: string, identity: PackageIdentity, bootId: string): Promise<Partial> {
    const found = await readNotes(tmpDir, identity);
    const partial = new Partial(tmpDir, { identity, validator: null, syncedBytes: 0, bootId });
    try {
      await partial.#takeUp(found);
      return partial;
    } catch (error) {
      await partial.close();
      throw error;
    }
  }

  get length(): number {
    return this.#length;
  }

  get missing(): number {
    return this.#notes.identity.size - this.#length;
  }

  get validator(): Validator | null {
    return this.#notes.validator;
  }

  /** Bytes that came in since this was opened. */
  get arrived(): number {
    return this.#arrived;
  }

  /** Throws the bytes away: others will follow from byte 0. */
  async empty(): Promise<void> {
    const file = this.#file;
    if (file !== null) await step('partial.open', () => file.truncate(0));
    this.#length = 0;
  }

  /** Gets ready for the first byte of the file that the validator names. */
  async begin(validator: Validator | null): Promise<void> {
    this.#file ??= await openForWriting(
      'partial.open',
      this.#path,
      constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC,
      0o600,
    );
    await this.#note({ ...this.#notes, validator, syncedBytes: 0 });
  }

  /** Puts bytes behind those that are there, and makes them durable where enough have gathered. */
  async append(bytes: Uint8Array): Promise<void> {
    let rest = bytes;
    while (rest.length > 0) {
      const room = this.#notes.syncedBytes + SYNC_EVERY_BYTES - this.#length;
      this.#write(rest.subarray(0, room));
      rest = rest.subarray(room);
      if (this.#length - this.#notes.syncedBytes >= SYNC_EVERY_BYTES) await this.#sync();
    }
  }

  /** All bytes are there: the partial becomes the package. */
  async finish(): Promise<void> {
    const { identity, syncedBytes } = this.#notes;
    if (this.#file !== null && syncedBytes < this.#length) await syncFile('partial.sync', this.#file);
    await this.close();
    await renameFile('partial.finish', this.#path, packagePath(this.#tmpDir, identity));
    await syncFolder('partial.finish', this.#tmpDir);
    await removeFile('partial.remove', partialNotesPath(this.#tmpDir, identity));
  }

  /** Removes the bytes and what is known of them. */
  async drop(): Promise<void> {
    await this.close();
    await removeFile('partial.remove', this.#path);
    await removeFile('partial.remove', partialNotesPath(this.#tmpDir, this.#notes.identity));
    this.#length = 0;
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = null;
    await file?.close();
  }

  async #takeUp(found: PartialNotes | null): Promise<void> {
    const { identity, bootId } = this.#notes;
    const there = await look(this.#path);
    if (there === null && found === null) return;
    if (there === null || found === null || !there.isFile() || there.size > identity.size) {
      await this.drop();
      return;
    }
    const file = await openForWriting('partial.open', this.#path, constants.O_WRONLY, 0o600);
    this.#file = file;
    const trusted = trustedLength(there.size, found, bootId);
    if (trusted < there.size) await step('partial.open', () => file.truncate(trusted));
    this.#length = trusted;
    this.#notes = found;
    if (found.bootId !== bootId || found.syncedBytes !== trusted) await this.#sync(bootId);
  }

  async #sync(bootId = this.#notes.bootId): Promise<void> {
    if (this.#file !== null) await syncFile('partial.sync', this.#file);
    await this.#note({ ...this.#notes, bootId, syncedBytes: this.#length });
  }

  async #note(notes: PartialNotes): Promise<void> {
    await writeNotes(this.#tmpDir, notes);
    this.#notes = notes;
  }

  /**
   * Synchronous, into the page cache: no chunk lives longer than this call, and with 8 MiB at most that are not
   * synced the kernel does not make a writer wait.
   */
  #write(bytes: Uint8Array): void {
    if (this.#file === null) throw new Error('the partial is not open');
    for (let done = 0; done < bytes.length;) {
      const written = writeSync(this.#file.fd, bytes, done, bytes.length - done, this.#length);
      done += written;
      this.#length += written;
      this.#arrived += written;
    }
  }
}
