import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { buildRelease } from '../../scripts/release/build-release.js';

const CHECKOUT = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))));
const run = promisify(execFile);

/** Packs the release of this checkout and unpacks it into a folder; answers with the path of its launcher. */
export async function releasedProgram(folder: string): Promise<string> {
  const { path } = await buildRelease({ checkout: CHECKOUT, into: folder });
  const unpacked = join(folder, 'release');
  await mkdir(unpacked, { recursive: true });
  await run('tar', ['-C', unpacked, '--strip-components=1', '-xzf', path]);
  return join(unpacked, 'program', 'bin', 'tope-updater');
}
