import { UpdateError } from '../../machines/errors.js';
import { modeOfFile, TELLING_BYTES } from '../package/file-mode.js';
import type { InspectedPackage } from '../package/inspect-package.js';
import type { ManifestModule } from '../package/manifest.js';
import type { PackageFile } from '../package/module-files.js';
import { extractEntry } from '../package/read-entry.js';
import type { ZipArchive } from '../package/zip-archive.js';
import { nextReleaseId, type Release, type ReleaseUnit } from './release.js';
import type { Store } from './store.js';
import { isWithin, resolveTarget, type FoldersSeen, type Territory } from './target-path.js';
import type { Content, WantedRelease, Wish, WishedFile } from './wish.js';

export interface PackageSource {
  archive: ZipArchive;
  inspected: InspectedPackage;
  name: string;
  md5: string;
  size: number;
  /** Checks a unit's name and completes it. Throws INVALID_MANIFEST. */
  unitName: (name: string) => string;
}

/**
 * What a package wants: its files at the real paths that their dst leads to, nothing at the paths that it removes and at
 * those that its folders no longer bring. Throws DEPLOYMENT_FAILED where a path leads out of its root, or where two
 * modules turn out to write one real path.
 */
export async function wantedFromPackage(
  store: Store,
  territory: Territory,
  source: PackageSource,
): Promise<WantedRelease> {
  const { archive, inspected } = source;
  const current = await store.pointer('current');
  const live = current === null ? null : await store.release(current);
  const wishes = new Map<string, Wish>();
  const real = new Map<ManifestModule, string>();
  for (const module of inspected.manifest.modules) {
    real.set(
      module,
      module.src.endsWith('/')
        ? await realFolder(module.dst, territory)
        : await resolveTarget(module.dst, territory),
    );
  }
  const seen: FoldersSeen = new Map();
  for (const file of inspected.files) {
    const path = await resolveTarget(file.path, territory, seen);
    const other = wishes.get(path);
    if (other !== undefined) {
      throw new UpdateError('DEPLOYMENT_FAILED', `${file.path} and ${other.asked} both lead to ${path}`);
    }
    wishes.set(path, {
      asked: file.path,
      path,
      listed: live?.files[path],
      file: { ...wishedFile(archive, file), isSigned: inspected.signedBy !== null },
      module: moduleWords(file.module, inspected.manifest.modules),
    });
  }
  for (const [path, asked] of await removals(inspected, real, live, territory)) {
    if (!wishes.has(path))
      wishes.set(path, { asked, path, listed: live?.files[path], file: null, module: null });
  }
  const { version } = inspected.manifest;
  const ids = await store.releaseIds();
  return {
    purpose: 'update',
    live,
    wishes: [...wishes.values()],
    hashesAll: live?.version === version,
    release: {
      schema: 1,
      id: nextReleaseId(ids, version),
      version,
      package: { name: source.name, md5: source.md5, size: source.size },
      installedAt: new Date().toISOString(),
      files: {},
      folders: [],
      units: unitsOf(inspected.manifest.modules, real, live, source.unitName),
    },
    postCommands: inspected.manifest.modules.flatMap(({ postCmds }) => postCmds),
    notices: [],
  };
}

function moduleWords(module: ManifestModule, modules: readonly ManifestModule[]): string {
  return `${module.name} (${modules.indexOf(module) + 1}/${modules.length})`;
}

/** A folder may be missing still, and what is a symlink on the way is followed. */
async function realFolder(dst: string, territory: Territory): Promise<string> {
  return `${await resolveTarget(dst, territory)}/`;
}

/** Real paths where nothing shall be, with the path that asks for it. */
async function removals(
  { manifest }: InspectedPackage,
  real: ReadonlyMap<ManifestModule, string>,
  live: Release | null,
  territory: Territory,
): Promise<Map<string, string>> {
  const gone = new Map<string, string>();
  for (const module of manifest.modules) {
    for (const path of module.remove) gone.set(await resolveTarget(path, territory), path);
    const folder = real.get(module);
    if (folder?.endsWith('/') !== true) continue;
    for (const [path, record] of Object.entries(live?.files ?? {})) {
      if (record !== null && isWithin(path, folder)) gone.set(path, path);
    }
  }
  return gone;
}

function wishedFile(archive: ZipArchive, { module, entry, mode, size }: PackageFile): WishedFile {
  return {
    sha256: module.sha256,
    size,
    mode,
    owner: null,
    xattrs: null,
    object: null,
    content: entryContent(archive, { module, entry }),
  };
}

/**
 * The bytes of an entry, inflated and checked: count, CRC and the digest in the manifest. Throws INVALID_PACKAGE or
 * SHA256_MISMATCH, both to be discarded.
 */
export function entryContent(
  archive: ZipArchive,
  { module, entry }: Pick<PackageFile, 'module' | 'entry'>,
): Content {
  return async (target, signal) => {
    const first = Buffer.alloc(TELLING_BYTES);
    let size = 0;
    const { sha256 } = await extractEntry(
      archive,
      entry,
      async (chunk) => {
        if (size < TELLING_BYTES) chunk.copy(first, size);
        size += chunk.length;
        for (let done = 0; target !== null && done < chunk.length;) {
          done += (await target.write(chunk, done, chunk.length - done)).bytesWritten;
        }
      },
      signal,
    );
    if (module.sha256 !== null && module.sha256 !== sha256) {
      throw new UpdateError(
        'SHA256_MISMATCH',
        `module ${module.name}: ${entry.name} hashes to ${sha256}, the manifest says ${module.sha256}`,
        { discard: true },
      );
    }
    return { sha256, size, mode: modeOfFile(null, first.subarray(0, Math.min(size, TELLING_BYTES))) };
  };
}

/** The units of the package, then those of the live list for paths that the package does not take over. */
function unitsOf(
  modules: readonly ManifestModule[],
  real: ReadonlyMap<ManifestModule, string>,
  live: Release | null,
  unitName: (name: string) => string,
): ReleaseUnit[] {
  const units = new Map<string, ReleaseUnit>();
  const taken: string[] = [];
  for (const module of modules) {
    const path = real.get(module) ?? module.dst;
    taken.push(path);
    if (module.processName === null) continue;
    const unit = unitName(module.processName);
    const known = units.get(unit);
    units.set(unit, {
      unit,
      order: lowest(known === undefined ? null : known.order, module.restartOrder),
      paths: [...(known?.paths ?? []), path],
      health: [...(known?.health ?? []), ...(module.health === null ? [] : [module.health])],
    });
  }
  for (const unit of live?.units ?? []) {
    const paths = unit.paths.filter((path) => !taken.includes(path));
    if (paths.length === 0) continue;
    const known = units.get(unit.unit);
    if (known === undefined) units.set(unit.unit, { ...unit, paths });
    else known.paths.push(...paths);
  }
  return [...units.values()];
}

function lowest(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.min(a, b);
}
