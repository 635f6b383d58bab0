import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, copyFile, cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import { isJsonObject } from '../../services/json-object.js';
import { NODE_ENVIRONMENT, NODE_FLAGS } from './node-flags.js';
import { bundleProgram } from './bundle.js';
import { thirdPartyNotices } from './third-party-notices.js';
import { productionPackages } from './production-packages.js';
import { fetchRuntime, type Architecture } from './runtime.js';

export interface ReleaseRequest {
  /** The built checkout that is released. */
  checkout: string;
  /** Where the archive is put. */
  into: string;
  /** Bring a node along, for devices without one. */
  node?: Architecture;
}

export interface BuiltRelease {
  path: string;
  version: string;
  /** Bytes of the archive. */
  bytes: number;
}

const run = promisify(execFile);
/** What of the pages' folder no browser asks for. */
const NOT_SERVED = /\.(?:map|tsbuildinfo|d\.ts)$/;

/**
 * Packs `tope-updater-X.Y.Z.tar.gz` (with a runtime: `tope-updater-X.Y.Z-arm64.tar.gz`): the program as one file, units,
 * the default configuration, install and uninstall. The same input gives the same bytes.
 */
export async function buildRelease({ checkout, into, node }: ReleaseRequest): Promise<BuiltRelease> {
  const version = await versionOf(checkout);
  const name = `tope-updater-${version}`;
  const scratch = await mkdtemp(join(tmpdir(), 'tope-release-'));
  try {
    const folder = join(scratch, name);
    await fill(folder, checkout, version);
    const cache = join(checkout, 'node_modules', '.cache');
    if (node !== undefined) await fetchRuntime(node, join(folder, 'program', 'runtime'), cache);
    await writeFile(join(folder, 'SHA256SUMS'), await digestsOf(folder));
    await mkdir(into, { recursive: true });
    const path = join(into, `${name}${node === undefined ? '' : `-${node}`}.tar.gz`);
    const bytes = await archive(scratch, name, path);
    return { path, version, bytes };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function fill(folder: string, checkout: string, version: string): Promise<void> {
  const program = join(folder, 'program');
  await mkdir(join(program, 'bin'), { recursive: true });
  const { packages } = await bundleProgram(checkout, program);
  // The bundle looks for them from its own folder on, where the built http/pages/page.js looks from its own.
  const filter = (path: string) => !NOT_SERVED.test(path);
  await cp(join(checkout, 'dist', 'pages'), join(program, 'pages'), { recursive: true, filter });
  await copyFile(join(checkout, 'package.json'), join(program, 'package.json'));
  // Texts for whoever stands in front of a device; pictures are for reading elsewhere.
  const isText = (path: string) => !path.startsWith(join(checkout, 'docs', 'images'));
  await cp(join(checkout, 'docs'), join(program, 'docs'), { recursive: true, filter: isText });
  await cp(join(checkout, 'systemd'), join(folder, 'systemd'), { recursive: true });
  for (const [script, target] of [
    ['install.sh', 'install'],
    ['uninstall.sh', 'uninstall'],
  ] as const) {
    await copyFile(join(checkout, 'scripts', 'release', script), join(folder, target));
    await chmod(join(folder, target), 0o755);
  }
  await copyFile(join(folder, 'uninstall'), join(program, 'uninstall'));
  await writeFile(join(program, 'bin', 'tope-updater'), await launcher(checkout), { mode: 0o755 });
  await copyFile(join(checkout, 'LICENSE'), join(folder, 'LICENSE'));
  const bundled = (await productionPackages(checkout)).filter(({ folder: one }) => packages.has(one));
  await writeFile(join(folder, 'VERSION'), `${version}\n`);
  await writeFile(
    join(folder, 'config.json'),
    `${JSON.stringify({ workDir: '/var/lib/tope-updater' }, null, 2)}\n`,
  );
  await writeFile(join(folder, 'THIRD_PARTY_NOTICES'), await thirdPartyNotices(checkout, bundled));
}

/** What the unit and people call, with the flags and variables that node gets. */
async function launcher(checkout: string): Promise<string> {
  const words = await readFile(join(checkout, 'scripts', 'release', 'tope-updater.sh'), 'utf8');
  const variables = Object.entries(NODE_ENVIRONMENT).map(([name, value]) => `${name}=${value}`);
  return words.replace('NODE_ENVIRONMENT', variables.join(' ')).replace('NODE_FLAGS', NODE_FLAGS.join(' '));
}

/** In the form of sha256sum(1), for every file. */
async function digestsOf(folder: string): Promise<string> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const lines: string[] = [];
  for (const path of paths.sort()) {
    const digest = createHash('sha256')
      .update(await readFile(path))
      .digest('hex');
    lines.push(`${digest}  ${relative(folder, path)}\n`);
  }
  return lines.join('');
}

async function archive(folder: string, name: string, path: string): Promise<number> {
  const same = ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner', '--mode=go-w'];
  await run('tar', [...same, '-C', folder, '-czf', path, name]);
  return (await readFile(path)).length;
}

async function versionOf(checkout: string): Promise<string> {
  const facts: unknown = JSON.parse(await readFile(join(checkout, 'package.json'), 'utf8'));
  if (isJsonObject(facts) && typeof facts['version'] === 'string') return facts['version'];
  throw new Error(`${join(checkout, 'package.json')} tells no version`);
}
