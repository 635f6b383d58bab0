import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, copyFile, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

export const ARCHITECTURES = ['arm64', 'x64'] as const;
export type Architecture = (typeof ARCHITECTURES)[number];

/** The line of Node that is brought along: docs/operations.md tells why. */
export const NODE_LINE = '20';

const run = promisify(execFile);

/**
 * Fetches node for an architecture as npm packs it, with its licence, into a folder: `node`, `LICENSE`. `cache`, a folder,
 * keeps what was fetched: some 40 MB.
 */
export async function fetchRuntime(architecture: Architecture, into: string, cache: string): Promise<void> {
  const folder = join(cache, `node-linux-${architecture}-${NODE_LINE}`);
  if (!existsSync(folder)) await fetchInto(folder, architecture);
  await mkdir(into, { recursive: true });
  await copyFile(join(folder, 'bin', 'node'), join(into, 'node'));
  await chmod(join(into, 'node'), 0o755);
  await copyFile(join(folder, 'LICENSE'), join(into, 'LICENSE'));
}

/** Renamed at the end: what is in the cache is there wholly. */
async function fetchInto(folder: string, architecture: Architecture): Promise<void> {
  await mkdir(dirname(folder), { recursive: true });
  const scratch = await mkdtemp(`${folder}.`);
  try {
    const name = `node-linux-${architecture}@${NODE_LINE}`;
    await run('npm', ['pack', '--silent', '--pack-destination', scratch, name], { cwd: scratch });
    const [packed = ''] = (await readdir(scratch)).filter((one) => one.endsWith('.tgz'));
    await run('tar', ['-C', scratch, '-xzf', join(scratch, packed)]);
    await rename(join(scratch, 'package'), folder);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
