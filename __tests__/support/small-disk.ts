import { execFileSync } from 'node:child_process';
import { mkdtemp, rmdir, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from '@jest/globals';
import { isSystemError } from '../../services/disk.js';

const mounted: string[] = [];

afterEach(async () => {
  for (const folder of mounted.splice(0)) {
    execFileSync('umount', ['-l', folder]);
    await rmdir(folder);
  }
});

/** A file system of its own, as small as it is told (`8m`), gone after the test. Needs root. */
export async function smallDisk(size: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tope-disk-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=755`, 'tmpfs', folder]);
  mounted.push(folder);
  return folder;
}

/** Fills a disk up to so many bytes, or wholly where others fill it meanwhile; returns the path of what fills it. */
export async function fillDisk(folder: string, leave: number): Promise<string> {
  const { bavail, bsize } = await statfs(folder);
  const ballast = join(folder, 'ballast');
  try {
    await writeFile(ballast, Buffer.alloc(Math.max(0, bavail * bsize - leave)));
  } catch (error) {
    if (!isSystemError(error, 'ENOSPC')) throw error;
  }
  return ballast;
}
