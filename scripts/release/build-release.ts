import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, copyFile, cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative, sep } from 'node:path';
import { promisify } from 'node:util';
import { thirdPartyNotices } from './notices.js';
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
const BUILT = ['machines', 'services', 'http', 'scripts'];
/** What no device runs. */
const LEFT_OUT = /^scripts\/(?:demo|release)\/|^scripts\/(?:release|write-docs)\.js|\.map$/;
const OF_DEVELOPMENT =
  /\.(?:[cm]?ts|map|md|markdown|flow)$|^moment\/(?:dist|locale|min|src|ts3\.1-typings)\//i;

/**
 * Packs `tope-updater-X.Y.Z.tar.gz` (with a runtime: `tope-updater-X.Y.Z-arm64.tar.gz`): the program with the packages
 * that it needs, units, the default configuration, install and uninstall. The same input gives the same bytes.
 */
export async function buildRelease({ checkout, into, node }: ReleaseRequest): Promise<BuiltRelease> {
  const version = await versionOf(checkout);
  const name = `tope-updater-${version}`;
  const scratch = await mkdtemp(join(tmpdir(), 'tope-release-'));
  try {
    const folder = join(scratch, name);
    await fill(folder, checkout, version);
    if (node !== undefined) await fetchRuntime(node, join(folder, 'program', 'runtime'));
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
  for (const part of BUILT) {
    const from = join(checkout, 'dist', part);
    const filter = (path: string) => !LEFT_OUT.test(`${part}/${relative(from, path)}`);
    await cp(from, join(program, 'dist', part), { recursive: true, filter });
  }
  const packages = await productionPackages(checkout);
  for (const { folder: one, name } of packages) {
    const from = join(checkout, one);
    const filter = (path: string) => isRun(name, relative(from, path));
    await cp(from, join(program, one), { recursive: true, filter });
  }
  await copyFile(join(checkout, 'package.json'), join(program, 'package.json'));
  await cp(join(checkout, 'docs'), join(program, 'docs'), { recursive: true });
  await cp(join(checkout, 'systemd'), join(folder, 'systemd'), { recursive: true });
  for (const [script, target] of [
    ['tope-updater.sh', 'program/bin/tope-updater'],
    ['install.sh', 'install'],
    ['uninstall.sh', 'uninstall'],
  ] as const) {
    await copyFile(join(checkout, 'scripts', 'release', script), join(folder, target));
    await chmod(join(folder, target), 0o755);
  }
  await copyFile(join(folder, 'uninstall'), join(program, 'uninstall'));
  await copyFile(join(checkout, 'LICENSE'), join(folder, 'LICENSE'));
  await writeFile(join(folder, 'VERSION'), `${version}\n`);
  await writeFile(
    join(folder, 'config.json'),
    `${JSON.stringify({ workDir: '/var/lib/tope-updater' }, null, 2)}\n`,
  );
  await writeFile(join(folder, 'THIRD_PARTY_NOTICES'), await thirdPartyNotices(checkout, packages));
}

/** A package's own packages have entries of their own in the lockfile; what is only read by people stays out. */
function isRun(name: string, path: string): boolean {
  return !path.split(sep).includes('node_modules') && !OF_DEVELOPMENT.test(`${name}/${path}`);
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
  if (typeof facts === 'object' && facts !== null && 'version' in facts && typeof facts.version === 'string')
    return facts.version;
  throw new Error(`${join(checkout, 'package.json')} tells no version`);
}
