import { createHash, randomBytes } from 'node:crypto';
import { copyFile, cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packFolder, type PackedPackage } from '../pack.js';

/** A service of the demo and the port that it answers at. */
export interface DemoService {
  name: string;
  port: number;
}

/** One version of both services. */
export interface DemoRelease {
  version: string;
  /** What an order to download it says, but for the URL. */
  order: PackedPackage;
  /** Its files, by their paths below the managed root, with their SHA-256 in hex. */
  files: ReadonlyMap<string, string>;
}

export interface ReleaseRequest {
  /** Where sources and packages are written. */
  folder: string;
  managedRoot: string;
  services: readonly DemoService[];
  version: string;
  /** The service that crashes at its start, if one does. */
  crashing?: string;
}

/** What makes a package take its time: random, so that no compression makes it smaller. */
const DATA_BYTES = 2 * 1024 * 1024;
const HEALTH_SECONDS = 5;

/** Writes a version of both services and packs it. */
export async function buildRelease(request: ReleaseRequest): Promise<DemoRelease> {
  const { folder, managedRoot, services, version } = request;
  const files = await writeSources(request);
  const modules = services.map(({ name, port }, index) => ({
    name,
    src: `${name}/`,
    dst: join(managedRoot, name),
    process_name: name,
    restart_order: index + 1,
    health: { http: `http://127.0.0.1:${port}/`, timeout_s: HEALTH_SECONDS },
  }));
  const out = join(folder, `services-${version}.zip`);
  const order = await packFolder({ dir: join(folder, version), version, out, modules });
  return { version, order, files };
}

/** Puts a version of both services where they run from, as if it had always been there. Answers with its files. */
export async function placeAsFound(request: ReleaseRequest): Promise<ReadonlyMap<string, string>> {
  const files = await writeSources(request);
  await cp(join(request.folder, request.version), request.managedRoot, { recursive: true });
  return files;
}

async function writeSources({ folder, services, version, crashing }: ReleaseRequest) {
  const files = new Map<string, string>();
  for (const { name } of services) {
    const home = join(folder, version, name);
    await mkdir(home, { recursive: true });
    await copyFile(fileURLToPath(new URL('service.js', import.meta.url)), join(home, 'service.mjs'));
    await writeFile(join(home, `${name}.mjs`), program(name, version, name === crashing));
    await writeFile(
      join(home, 'data.bin'),
      Buffer.concat([Buffer.from(`${version}\n`), randomBytes(DATA_BYTES)]),
    );
    for (const file of ['service.mjs', `${name}.mjs`, 'data.bin'])
      files.set(
        join(name, file),
        createHash('sha256')
          .update(await readFile(join(home, file)))
          .digest('hex'),
      );
  }
  return files;
}

function program(name: string, version: string, crashes: boolean): string {
  const start = crashes
    ? `throw new Error('${name} ${version} cannot start');`
    : `runService('${name}', '${version}');`;
  return `import { runService } from './service.mjs';\n\n${start}\n`;
}
