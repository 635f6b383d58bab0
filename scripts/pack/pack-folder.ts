import { createHash } from 'node:crypto';
import { basename, join } from 'node:path';
import { writeDurably } from '../../services/disk.js';
import { MANIFEST_NAME, type Manifest } from '../../services/package/manifest.js';
import { refuseCollisions } from '../../services/package/path-collisions.js';
import { signManifest, type SecretKey } from './minisign-secret.js';
import { writeArchive } from './pack-archive.js';
import {
  completeManifest,
  manifestBytes,
  readManifestFile,
  typedManifest,
  type WrittenManifest,
} from './pack-manifest.js';
import { PackError, readSources, type Source } from './pack-sources.js';

export interface PackRequest {
  /** The folder that every src is looked for in. */
  dir: string;
  /** a.b.c */
  version: string;
  /** The file that is written. */
  out: string;
  /** A manifest elsewhere than in the folder. */
  manifestPath?: string;
  /** In place of a manifest: its modules, as they stand in one. */
  modules?: readonly Record<string, unknown>[];
  /** The key that the manifest is signed with; none: the package is not signed. */
  key?: SecretKey;
}

/** What an order to download the package says of it (wire contract: body of POST /download), but for the URL. */
export interface PackedPackage {
  version: string;
  package_name: string;
  /** Bytes. */
  package_size: number;
  package_md5: string;
  package_sha256: string;
}

/**
 * Builds a package on a workstation: the files that the modules name, and the manifest with each file's sha256 and mode
 * filled in. The same input gives the same bytes, and the file is written durably. The whole package is held in memory.
 * Throws PackError or INVALID_MANIFEST naming the mistake, or node's own error.
 */
export async function packFolder(request: PackRequest): Promise<PackedPackage> {
  const { dir, version, out } = request;
  const written: WrittenManifest =
    request.modules === undefined
      ? await readManifestFile(request.manifestPath ?? join(dir, MANIFEST_NAME), version)
      : { version, modules: request.modules };
  const manifest = typedManifest(written);
  if (request.key !== undefined) refuseFolders(manifest);
  const sources: Source[][] = [];
  for (const module of manifest.modules) sources.push(await readSources(dir, module, out));
  await refuseCollisions(
    manifest,
    manifest.modules.flatMap((module, index) =>
      (sources[index] ?? []).map((source) => ({ module, path: source.path })),
    ),
  );
  const completed = completeManifest(written, manifest, sources);
  typedManifest(completed);
  const bytes = manifestBytes(completed);
  // No time in it, so that the same input gives the same bytes.
  const signature =
    request.key && signManifest(request.key, bytes, `version:${version}\tfile:${MANIFEST_NAME}`);
  const archive = writeArchive(bytes, signature ?? null, sources.flat());
  await writeDurably('pack.write', out, archive);
  return {
    version,
    package_name: basename(out),
    package_size: archive.length,
    package_md5: createHash('md5').update(archive).digest('hex'),
    package_sha256: createHash('sha256').update(archive).digest('hex'),
  };
}

/** A signature covers what has a digest in the manifest, and a folder has none. */
function refuseFolders({ modules }: Manifest): void {
  const folder = modules.find(({ src }) => src.endsWith('/'));
  if (folder !== undefined)
    throw new PackError(
      `module ${folder.name}: src ${folder.src} is a folder, which no signature covers; name its files one by one`,
    );
}
