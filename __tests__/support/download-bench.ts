import { existsSync } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { afterEach, expect } from '@jest/globals';
import type { Instant } from '../../machines/clock.js';
import { UpdateError } from '../../machines/errors.js';
import type { PackageIdentity } from '../../machines/package-order.js';
import { transferPackage, type TransferParts } from '../../services/download/transfer-package.js';
import type { Log } from '../../services/log/log.js';
import { packagePath, partialNotesPath, partialPath } from '../../services/work-folder.js';
import { makePackage } from './fault-server.js';
import { temporaryFolder } from './temporary-folder.js';
import { until } from './until.js';

/** Every URL of these tests holds it in its query; nothing that people may see ever does. */
export const SECRET = 'X-Signature=s3cr3t';

const PLAUSIBLE = Date.UTC(2026, 11, 24);
const told: string[] = [];

afterEach(() => {
  const everything = told.splice(0).join('\n');
  expect(everything).not.toContain(SECRET);
  expect(everything).not.toContain('s3cr3t');
});

/** How a request ended. */
export type Outcome = { resumed: boolean } | UpdateError;

/** A work folder and an order, and requests made for it as the machine makes them. */
export class DownloadBench {
  readonly content: Uint8Array;
  readonly identity: PackageIdentity;
  readonly tmpDir: string;
  url: string;
  now: Instant = { bootId: 'boot-1', uptimeMs: 1000, wallMs: PLAUSIBLE, wallIsPlausible: true };
  readonly progress: number[] = [];
  /** What the last request that ended well told that it had brought; null where none was made for it. */
  arrived: number | null = null;
  readonly lines: string[] = [];

  private constructor(tmpDir: string, size: number) {
    const { content, identity } = makePackage(size);
    this.content = content;
    this.identity = identity;
    this.tmpDir = tmpDir;
    this.url = '';
  }

  static async make(size = 1_000_000, tmpDir?: string): Promise<DownloadBench> {
    return new DownloadBench(tmpDir ?? (await temporaryFolder()), size);
  }

  /** One request to this URL. */
  async request(url: string, also: Partial<TransferParts> = {}, signal = new AbortController().signal) {
    this.url = url.includes('?') ? url : `${url}?${SECRET}`;
    const deps: TransferParts = {
      tmpDir: this.tmpDir,
      order: () => ({ ...this.identity, url: this.url, name: 'package.zip', sha256: null }),
      clock: () => this.now,
      log: this.#log(),
      onProgress: (bytes) => this.progress.push(bytes),
      stallMs: 5000,
      ...also,
    };
    const outcome = await transferPackage(this.identity, signal, deps).catch((error: unknown) => {
      if (error instanceof UpdateError) return error;
      throw error;
    });
    told.push(JSON.stringify(outcome), outcome instanceof Error ? outcome.message : '');
    if (existsSync(this.notesPath)) told.push(await readFile(this.notesPath, 'utf8'));
    if (outcome instanceof UpdateError) return outcome;
    this.arrived = outcome.bytesArrived ?? null;
    return { resumed: outcome.resumed };
  }

  /** A request that must fail. */
  async failure(...how: Parameters<DownloadBench['request']>): Promise<UpdateError> {
    const outcome = await this.request(...how);
    if (outcome instanceof UpdateError) return outcome;
    throw new Error('the request was expected to fail, and brought the package');
  }

  /** Requests, without any pause, until the package is there or an error is final. Answers how each one ended. */
  async untilEnd(url: string, most = 100): Promise<Outcome[]> {
    const outcomes: Outcome[] = [];
    for (let made = 0; made < most; made++) {
      const outcome = await this.request(url);
      outcomes.push(outcome);
      if (!(outcome instanceof UpdateError) || outcome.facts.retry === 'final') break;
    }
    return outcomes;
  }

  get partPath(): string {
    return partialPath(this.tmpDir, this.identity);
  }

  get notesPath(): string {
    return partialNotesPath(this.tmpDir, this.identity);
  }

  get zipPath(): string {
    return packagePath(this.tmpDir, this.identity);
  }

  /** Bytes of the partial, 0 where there is none. */
  async partBytes(): Promise<number> {
    return existsSync(this.partPath) ? (await stat(this.partPath)).size : 0;
  }

  /** Waits until so many bytes are on disk. */
  async partReaches(bytes: number): Promise<void> {
    const look = async () => (await this.partBytes()) >= bytes;
    await until(`${bytes} bytes are on disk`, look, 20_000, 2);
  }

  /** Nothing but the package is in the folder, and it is the one that was ordered. */
  async expectPackage(): Promise<void> {
    expect(await readdir(this.tmpDir)).toEqual([this.zipPath.slice(this.tmpDir.length + 1)]);
    expect(Buffer.compare(await readFile(this.zipPath), this.content)).toBe(0);
  }

  async expectNothingOnDisk(): Promise<void> {
    expect(await readdir(this.tmpDir)).toEqual([]);
  }

  #log(): Log {
    const write = (message: string, fields?: object) => {
      const line = `${message} ${JSON.stringify(fields ?? {})}`;
      this.lines.push(line);
      told.push(line);
    };
    return { debug: write, info: write, warn: write, error: write };
  }
}
