import { execFile } from 'node:child_process';
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { rename, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** Sparse: only what is written takes room. */
const IMAGE_BYTES = 128 * 1024 * 1024;
const MOST_COPIES = 20;
const BUSY_MS = 10_000;
const LOOK_EVERY_MS = 20;

/**
 * How the file system is mounted. `strict` is what the standard leaves open: nothing is written out by a timer, and a
 * rename over a file does not write out the new content (ext4(5): commit, auto_da_alloc).
 */
export const MOUNT_OPTIONS = { ordinary: 'loop', strict: 'loop,commit=300,noauto_da_alloc' } as const;

export type MountKind = keyof typeof MOUNT_OPTIONS;

/** The campaign's own disk does not do what it should: that says nothing of the updater. */
export class DiskFault extends Error {
  override readonly name = 'DiskFault';
}

/** An ext4 file system in a file, mounted through a loop device; it is cut from its power by being replaced by a copy. */
export class DiskImage {
  readonly mountPoint: string;
  readonly #image: string;
  readonly #photograph: string;
  readonly #pristine: string;

  constructor(folder: string, mountPoint: string) {
    this.mountPoint = mountPoint;
    this.#image = join(folder, 'image');
    this.#photograph = join(folder, 'photograph');
    this.#pristine = join(folder, 'pristine');
  }

  /** Makes the file system, empty, and mounts it. */
  async make(): Promise<void> {
    await writeFile(this.#image, '');
    await truncate(this.#image, IMAGE_BYTES);
    // Tables that are written later, in the background, would keep two copies from agreeing.
    const lazy = 'lazy_itable_init=0,lazy_journal_init=0';
    await run('mkfs.ext4', ['-q', '-F', '-b', '4096', '-m', '0', '-E', lazy, this.#image]);
    await this.#mount('ordinary');
  }

  /** Keeps what is on it now, properly unmounted, to come back to. */
  async keepAsPristine(): Promise<void> {
    await this.#unmount();
    await copy(this.#image, this.#pristine);
    await this.#mount('ordinary');
  }

  async comeBackToPristine(kind: MountKind): Promise<void> {
    await this.#unmount();
    await copy(this.#pristine, this.#image);
    await this.#mount(kind);
  }

  /**
   * Copies what the disk was given so far: what the file system still holds in memory is not in it, as in a power cut.
   * Nothing may be writing but what was begun; the copy is good once the disk, looked at again, is still the same.
   */
  async photograph(): Promise<void> {
    for (let copies = 0; copies < MOST_COPIES; copies++) {
      await copy(this.#image, this.#photograph);
      if (await areSame(this.#image, this.#photograph)) return;
    }
    throw new DiskFault(`the image did not come to rest in ${MOST_COPIES} copies`);
  }

  /**
   * What another program does when it syncs a file of its own: ext4 then writes down every name that was changed so far,
   * whoever changed it, and not the contents.
   */
  syncAnotherFile(): void {
    const file = openSync(join(this.mountPoint, 'neighbour'), 'a');
    writeSync(file, 'x');
    fsyncSync(file);
    closeSync(file);
  }

  /** The photograph takes the place of the disk, at the same path; mounting it replays its journal. */
  async becomePhotograph(kind: MountKind): Promise<void> {
    await this.#unmount();
    await rename(this.#photograph, this.#image);
    await this.#mount(kind);
  }

  async #mount(kind: MountKind): Promise<void> {
    await run('mount', ['-t', 'ext4', '-o', MOUNT_OPTIONS[kind], this.#image, this.mountPoint]);
  }

  /** A process that was killed a moment ago may still hold a file open. */
  async #unmount(): Promise<void> {
    const deadline = performance.now() + BUSY_MS;
    for (;;) {
      try {
        await run('umount', [this.mountPoint]);
        return;
      } catch (error) {
        if (!/busy/.test(String(error)) || performance.now() > deadline) throw error;
        await wait(LOOK_EVERY_MS);
      }
    }
  }
}

async function run(program: string, args: readonly string[]): Promise<void> {
  try {
    await execute(program, args);
  } catch (error) {
    throw new DiskFault(`${program} ${args.join(' ')}: ${String(error)}`, { cause: error });
  }
}

async function copy(from: string, to: string): Promise<void> {
  await run('cp', ['--sparse=always', from, to]);
}

async function areSame(a: string, b: string): Promise<boolean> {
  try {
    await execute('cmp', ['--silent', a, b]);
    return true;
  } catch (error) {
    // cmp(1) exits 1 where the files differ, 2 where it could not tell.
    if (error instanceof Error && 'code' in error && error.code === 1) return false;
    throw new DiskFault(`cmp ${a} ${b}: ${String(error)}`, { cause: error });
  }
}
