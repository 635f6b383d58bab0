import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { isSystemError } from '../../services/disk.js';
import type { Random } from '../support/random.js';

const FOLDERS = ['alpha', 'alpha/plugins', 'beta/data', 'extra/deep'];
const EVERY_MS = 20;
const MOST_FILES = 30;

/**
 * Data of the services beside their programs: while it runs, files are made, added to, renamed and deleted all the time.
 * It remembers what must be there.
 */
export class OwnData {
  readonly #root: string;
  readonly #random: Random;
  readonly #files = new Map<string, string>();
  #timer: NodeJS.Timeout | null = null;
  #count = 0;

  constructor(root: string, random: Random) {
    this.#root = root;
    this.#random = random;
    this.start();
  }

  start(): void {
    this.#timer ??= setInterval(() => this.#change(), EVERY_MS);
  }

  get changes(): number {
    return this.#count;
  }

  /** Whether a path, relative to the root, is a file of these. */
  has(path: string): boolean {
    return this.#files.has(path);
  }

  /** What is not as it was left. */
  problems(): string[] {
    return [...this.#files].flatMap(([path, text]) => {
      const at = join(this.#root, path);
      if (!existsSync(at)) return [`${path}, data of a service, is gone`];
      return readFileSync(at, 'utf8') === text ? [] : [`${path}, data of a service, is not what was written`];
    });
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  #change(): void {
    this.#count += 1;
    try {
      const path = this.#random.oneOf([...this.#files.keys(), '']);
      const what =
        this.#files.size >= MOST_FILES
          ? 'delete'
          : this.#random.oneOf(['add', 'rename', 'delete', 'make', 'make']);
      if (path === '' || what === 'make') this.#make();
      else if (what === 'add') this.#add(path);
      else if (what === 'rename') this.#rename(path);
      else this.#delete(path);
    } catch (error) {
      // A folder that an update leaves empty may be removed between making it and using it.
      if (!isSystemError(error, 'ENOENT')) throw error;
    }
  }

  /** A path in a folder that is there, at least now. */
  #newPath(): string {
    const path = `${this.#random.oneOf(FOLDERS)}/own-${this.#count}.db`;
    mkdirSync(dirname(join(this.#root, path)), { recursive: true });
    return path;
  }

  #make(): void {
    const path = this.#newPath();
    const text = `made at ${this.#count}\n`;
    writeFileSync(join(this.#root, path), text);
    this.#files.set(path, text);
  }

  #add(path: string): void {
    const line = `added at ${this.#count}\n`;
    appendFileSync(join(this.#root, path), line);
    this.#files.set(path, `${this.#files.get(path) ?? ''}${line}`);
  }

  #rename(path: string): void {
    const to = this.#newPath();
    renameSync(join(this.#root, path), join(this.#root, to));
    this.#files.set(to, this.#files.get(path) ?? '');
    this.#files.delete(path);
  }

  #delete(path: string): void {
    rmSync(join(this.#root, path));
    this.#files.delete(path);
  }
}
