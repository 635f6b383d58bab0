import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { UpdateError } from '../../machines/errors.js';
import type { ReleaseName } from '../../machines/package-order.js';
import { look, makeFolder, readText, removeFile, setFolderMode, syncFolder, writeDurably } from '../disk.js';
import type { Log } from '../log/log.js';
import type { StepName } from '../steps.js';
import { STORE_FOLDER } from '../store-folder.js';
import { jsonOrNull } from './json-or-null.js';
import { isRelease, isReleaseId, type Release } from './release.js';

/** Where the store lies in a managed root. */
export function storeFolder(managedRoot: string): string {
  return join(managedRoot, STORE_FOLDER);
}

export type Pointer = 'current' | 'previous' | 'factory';

/** Why a version is not to be trusted any more. */
export interface BadVersion {
  /** ISO 8601. */
  since: string;
  why: string;
}

const POINTER_STEPS = {
  current: 'commit.current',
  previous: 'commit.previous',
  factory: 'commit.factory',
} as const satisfies Record<Pointer, StepName>;

/** Whoever reads the store reads what users wrote into their settings; whoever writes to it writes anywhere. */
const MODE = 0o700;

/**
 * What the updater keeps, inside the managed root and on its file system: lists of releases, the three pointers, the
 * contents that a way back needs, the staging folder and the journal. Mode 0700.
 */
export class Store {
  readonly root: string;
  readonly journalPath: string;
  readonly objects: string;
  readonly staging: string;
  readonly #releases: string;
  readonly #bad: string;
  readonly #log: Log;

  constructor(root: string, log: Log) {
    this.root = root;
    this.journalPath = join(root, 'journal');
    this.objects = join(root, 'objects');
    this.staging = join(root, 'staging');
    this.#releases = join(root, 'releases');
    this.#bad = join(root, 'bad.json');
    this.#log = log;
  }

  /** Makes the folders that are missing, and closes those that others were let into. */
  async make(): Promise<void> {
    const made = [];
    for (const folder of [this.root, this.#releases, this.objects]) {
      made.push(await makeFolder('store.make', folder, MODE));
      if (await setFolderMode('store.make', folder, MODE))
        this.#log.warn('a folder of the store had another mode: it is for root alone again', { folder });
    }
    if (made.includes(true)) await syncFolder('store.make', this.root);
    if (made[0] === true) await syncFolder('store.make', dirname(this.root));
  }

  objectPath(sha256: string): string {
    return join(this.objects, sha256);
  }

  /** The release id that a pointer names, or null. A pointer that names nothing we could have written is told and ignored. */
  async pointer(name: Pointer): Promise<string | null> {
    const id = (await readText(join(this.root, name)))?.trim();
    if (id === undefined) return null;
    if (isReleaseId(id)) return id;
    this.#log.error('a pointer of the store is damaged', { pointer: name, value: id.slice(0, 80) });
    return null;
  }

  /** Throws DEPLOYMENT_FAILED where a pointer is there and damaged: what it names is not known, and may be needed. */
  async needWhole(name: Pointer): Promise<void> {
    if ((await this.pointer(name)) !== null || (await look(join(this.root, name))) === null) return;
    throw new UpdateError(
      'DEPLOYMENT_FAILED',
      `the pointer ${join(this.root, name)} is damaged: the id of a release was expected`,
    );
  }

  /** Sets a pointer durably; null removes it. */
  async setPointer(name: Pointer, id: string | null): Promise<void> {
    const path = join(this.root, name);
    if ((await this.pointer(name)) === id) return;
    if (id !== null) return writeDurably(POINTER_STEPS[name], path, `${id}\n`, 0o600);
    await removeFile(POINTER_STEPS[name], path);
    await syncFolder(POINTER_STEPS[name], this.root);
  }

  /** Ids of all lists in the store, oldest first. */
  async releaseIds(): Promise<string[]> {
    const names = await readdir(this.#releases);
    return names
      .filter((name) => name.endsWith('.json'))
      .map((name) => name.slice(0, -'.json'.length))
      .filter(isReleaseId)
      .sort((a, b) => sortKey(a).localeCompare(sortKey(b)));
  }

  /** A release's list. Throws DEPLOYMENT_FAILED where it is missing or damaged. */
  async release(id: string): Promise<Release> {
    if (!isReleaseId(id)) throw new UpdateError('DEPLOYMENT_FAILED', `'${id}' is no release id`);
    const found = await this.releaseIfThere(id);
    if (found === null)
      throw new UpdateError('DEPLOYMENT_FAILED', `the list of release ${id} is missing or damaged`);
    return found;
  }

  /** A release's list, or null where it is missing or damaged (the log tells which). */
  async releaseIfThere(id: string): Promise<Release | null> {
    const text = await readText(this.#listPath(id));
    if (text === null) return null;
    const parsed = jsonOrNull(text);
    if (isRelease(parsed) && parsed.id === id) return parsed;
    this.#log.error('a release list is damaged', { release: id });
    return null;
  }

  /** Writes a release's list durably. */
  async writeRelease(release: Release): Promise<void> {
    await writeDurably('commit.release', this.#listPath(release.id), `${JSON.stringify(release)}\n`, 0o600);
  }

  /** Removes a release's list; its objects may go only after that. */
  async removeRelease(id: string): Promise<void> {
    await removeFile('prune.release', this.#listPath(id));
    await syncFolder('prune.release', this.#releases);
  }

  /** The release that a pointer names, as the machine knows it. */
  async named(pointer: Pointer): Promise<ReleaseName | null> {
    const id = await this.pointer(pointer);
    const release = id === null ? null : await this.releaseIfThere(id);
    return release === null ? null : { id: release.id, version: release.version };
  }

  /** Versions that failed after they had been switched to. */
  async badVersions(): Promise<Record<string, BadVersion>> {
    const parsed = jsonOrNull((await readText(this.#bad)) ?? '{}');
    const bad: Record<string, BadVersion> = {};
    if (typeof parsed !== 'object' || parsed === null) return bad;
    for (const [version, row] of Object.entries<unknown>({ ...parsed })) {
      if (isBadVersion(row)) bad[version] = { since: row.since, why: row.why };
    }
    return bad;
  }

  /** Marks a version as bad, or (null) as good again. */
  async markVersion(version: string, bad: BadVersion | null): Promise<void> {
    const versions = new Map(Object.entries(await this.badVersions()));
    if (bad === null ? !versions.delete(version) : versions.get(version)?.why === bad.why) return;
    if (bad !== null) versions.set(version, bad);
    await writeDurably('store.bad', this.#bad, `${JSON.stringify(Object.fromEntries(versions))}\n`, 0o600);
  }

  /** Digests of the contents that are kept. */
  async objectNames(): Promise<string[]> {
    return (await look(this.objects)) === null ? [] : readdir(this.objects);
  }

  /** Temporaries of durable writes that were cut, of files that only a deployment writes. */
  async temporaries(): Promise<string[]> {
    const inReleases = (await readdir(this.#releases)).map((name) => join(this.#releases, name));
    const ofPointers = Object.keys(POINTER_STEPS).map((name) => join(this.root, `.${name}.tmp`));
    const candidates = [...inReleases, ...ofPointers, join(this.root, '.journal.tmp')];
    const found = [];
    for (const path of candidates) if (/\/\.[^/]+\.tmp$/.test(path) && (await look(path))) found.push(path);
    return found;
  }

  /** Reads a file of the staging folder; null where it is not there. */
  async stagedText(name: string): Promise<string | null> {
    return readText(join(this.staging, name));
  }

  #listPath(id: string): string {
    return join(this.#releases, `${id}.json`);
  }
}

function sortKey(id: string): string {
  return /^\d/.test(id) ? id : '000000';
}

function isBadVersion(row: unknown): row is BadVersion {
  return (
    typeof row === 'object' &&
    row !== null &&
    'since' in row &&
    typeof row.since === 'string' &&
    'why' in row &&
    typeof row.why === 'string'
  );
}
