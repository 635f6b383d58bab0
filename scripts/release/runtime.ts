import { execFile } from 'node:child_process';
import { chmod, copyFile, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

export const ARCHITECTURES = ['arm64', 'x64'] as const;
export type Architecture = (typeof ARCHITECTURES)[number];

/** The line of Node that is brought along: docs/operations.md tells why. */
export const NODE_LINE = '20';

const run = promisify(execFile);

/** Fetches node for an architecture as npm packs it, with its licence, into a folder: `node`, `LICENSE`. */
export async function fetchRuntime(architecture: Architecture, into: string): Promise<void> {
  const scratch = await mkdtemp(join(tmpdir(), 'tope-runtime-'));
  try {
    const name = `node-linux-${architecture}@${NODE_LINE}`;
    await run('npm', ['pack', '--silent', '--pack-destination', scratch, name], { cwd: scratch });
    const [packed = ''] = (await readdir(scratch)).filter((one) => one.endsWith('.tgz'));
    await run('tar', ['-C', scratch, '-xzf', join(scratch, packed)]);
    await mkdir(into, { recursive: true });
    await copyFile(join(scratch, 'package', 'bin', 'node'), join(into, 'node'));
    await chmod(join(into, 'node'), 0o755);
    await copyFile(join(scratch, 'package', 'LICENSE'), join(into, 'LICENSE'));
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
