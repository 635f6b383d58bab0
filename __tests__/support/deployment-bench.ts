import { createHash } from 'node:crypto';
import { chown, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Failure } from '../../machines/update-context.js';
import { closeDeployment } from '../../services/deployment/close-deployment.js';
import { deploymentEffects, type DeploymentParts } from '../../services/deployment/deployment-effects.js';
import { Journal } from '../../services/deployment/journal.js';
import type { Release } from '../../services/deployment/release.js';
import { Store, storeFolder } from '../../services/deployment/store.js';
import type { PackageIdentity } from '../../machines/package-order.js';
import { sha256, treeOf } from './file-tree.js';
import { QuietServices } from './quiet-services.js';
import { RecordingLog } from './recording-log.js';
import { hasRoot } from './requirements.js';
import { temporaryFolder } from './temporary-folder.js';
import { writeZip, type EntryDescription } from './zip-writer.js';

/** A file of a package: its contents, or a module with more fields. */
export type ModuleSource =
  | string
  | { data: string; mode?: number; fields?: Record<string, unknown>; entry?: Partial<EntryDescription> };

export const CAUSE: Failure = { code: 'HEALTH_CHECK_FAILED', message: 'api exited 1', progress: 50 };

/** A device with a managed root, an extra root, a store, and services that only exist by name. */
export class DeploymentBench {
  readonly home: string;
  /** The managed root and the extra one. */
  readonly roots: readonly [string, string];
  readonly log = new RecordingLog();
  readonly services = new QuietServices();
  readonly signal = new AbortController().signal;
  readonly store: Store;
  readonly parts: DeploymentParts;
  readonly effects: ReturnType<typeof deploymentEffects>;
  #packageName = '';

  private constructor(home: string, roots: readonly [string, string]) {
    this.home = home;
    this.roots = roots;
    const work = join(home, 'work');
    this.store = new Store(storeFolder(roots[0]), this.log);
    this.parts = {
      store: this.store,
      territory: { roots, forbidden: [this.store.root, work] },
      control: this.services,
      log: this.log,
      timing: { pollMs: 1, killAfterMs: 50, giveUpMs: 50, startTimeoutMs: 100, settleMs: 1 },
      tell: () => undefined,
      now: () => new Date(),
      manager: 'none',
      keep: 1,
      reserveBytes: 0,
      packagePath: ({ md5 }) => join(work, md5),
      packageName: () => this.#packageName,
      expectations: (version) =>
        Promise.resolve({
          version,
          roots: [...roots],
          reserved: [work],
          allowPostCmds: true,
          signature: 'off',
          keysDir: '/nonexistent',
          installedVersion: null,
          product: '',
          allowDowngrade: true,
        }),
      askGuard: () => Promise.resolve(null),
      at: () => ({ bootId: 'boot', uptimeMs: 0, wallMs: 0, wallIsPlausible: true }),
    };
    this.effects = deploymentEffects(this.parts);
  }

  /** A device with nothing on it; the roots may be given (a mount, say). */
  static async make(roots?: { managed?: string; extra?: string }): Promise<DeploymentBench> {
    const home = await temporaryFolder();
    const bench = new DeploymentBench(home, [
      roots?.managed ?? join(home, 'managed'),
      roots?.extra ?? join(home, 'extra'),
    ]);
    for (const folder of [...bench.roots, join(home, 'work')]) await mkdir(folder, { recursive: true });
    await bench.store.make();
    return bench;
  }

  get root(): string {
    return this.roots[0];
  }

  get extra(): string {
    return this.roots[1];
  }

  /** Puts a file there as somebody else would, with the folders above it. */
  async put(path: string, data: string, { mode = 0o644, uid = 0 } = {}): Promise<void> {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, data, { mode });
    if (hasRoot()) await chown(path, uid, uid);
  }

  /** A package that brings files to absolute paths (one that ends in `/` is not possible: see fields). */
  async package(
    version: string,
    files: Record<string, ModuleSource>,
    entries: EntryDescription[] = [],
  ): Promise<PackageIdentity> {
    const sources = Object.entries(files).map(([dst, source], n) => ({
      dst,
      src: `files/${n}`,
      ...(typeof source === 'string' ? { data: source } : source),
    }));
    const modules = sources.map(({ dst, src, fields = {} }) => ({ name: src, src, dst, ...fields }));
    const zip = writeZip({
      entries: [
        { name: 'manifest.json', data: JSON.stringify({ version, modules }) },
        ...sources
          .filter(({ fields }) => fields?.['src'] === undefined)
          .map(({ src, data, mode = 0o644, entry }) => ({
            name: src,
            data,
            mode: 0o100000 | mode,
            ...entry,
          })),
        ...entries,
      ],
    });
    const identity = { version, md5: createHash('md5').update(zip).digest('hex'), size: zip.length };
    await writeFile(this.parts.packagePath(identity), zip);
    this.#packageName = `${version}.zip`;
    return identity;
  }

  /** The effects up to and without the switch, of a package or of a release of the store. */
  async stop(to: PackageIdentity | string): Promise<void> {
    await this.stage(to);
    await this.effects.stopServices(this.signal);
  }

  stage(to: PackageIdentity | string) {
    const identity = typeof to === 'string' ? null : to;
    const wanted = typeof to === 'string' ? { id: to, version: '' } : { id: null, version: to.version };
    const purpose = identity === null ? 'rollback' : 'update';
    return this.effects.stageRelease(
      { deployment: { purpose, to: wanted, from: null, identity, provenBad: false } },
      this.signal,
    );
  }

  /** All effects up to the commit; answers with its notices. */
  async deploy(to: PackageIdentity | string): Promise<string[]> {
    await this.stop(to);
    await this.effects.switchFiles();
    await this.effects.startServices(this.signal);
    await this.effects.settleServices(this.signal);
    const { notices } = await this.effects.commitRelease();
    await this.close();
    return notices;
  }

  /** What the machine does once the end is saved. */
  close(): Promise<void> {
    return closeDeployment(this.store, this.parts.keep, this.log);
  }

  async journal(): Promise<Journal> {
    const journal = await Journal.read(this.store.journalPath);
    if (journal === null) throw new Error('there is no journal');
    return journal;
  }

  /** Both roots, without the store. */
  tree(): Promise<Record<string, string>> {
    return treeOf(this.roots);
  }

  /** The lists of the store, by id, and its pointers. */
  async lists(): Promise<Record<string, unknown>> {
    const lists: Record<string, Release | string | null> = {};
    for (const id of await this.store.releaseIds()) lists[id] = await this.store.release(id);
    for (const name of ['current', 'previous', 'factory'] as const)
      lists[`-> ${name}`] = await this.store.pointer(name);
    return lists;
  }

  /**
   * What is wrong with the store: a content that a list needs and that is neither live nor kept (a gap), an object that
   * is not what its name says or that shares its inode, left-overs.
   */
  async faults(): Promise<string[]> {
    const faults: string[] = [];
    const objects = new Set(await this.store.objectNames());
    for (const name of objects) {
      const path = this.store.objectPath(name);
      if (sha256(await readFile(path)) !== name) faults.push(`object ${name} has another content`);
      if ((await stat(path)).nlink !== 1) faults.push(`object ${name} shares its inode`);
    }
    const current = await this.store.pointer('current');
    const factory = await this.store.pointer('factory');
    const live = current === null ? null : await this.store.release(current);
    for (const id of await this.store.releaseIds()) {
      for (const [path, record] of Object.entries((await this.store.release(id)).files)) {
        if (record === null) continue;
        const isLive = live?.files[path]?.sha256 === record.sha256;
        if ((!isLive || id === factory) && !objects.has(record.sha256)) faults.push(`gap: ${id} at ${path}`);
      }
    }
    const known = ['releases', 'objects', 'current', 'previous', 'factory', 'bad.json'];
    for (const name of await readdir(this.store.root))
      if (!known.includes(name)) faults.push(`left over: ${name}`);
    return faults;
  }
}
