import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildRelease, type BuiltRelease } from '../../scripts/release/build-release.js';
import { atEndOf } from './life.js';

/** The checkout that these built files belong to. */
export const CHECKOUT = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))));

let built: Promise<BuiltRelease> | null = null;

/** The release of this checkout, packed once for all tests of a file. */
export function releaseArchive(): Promise<BuiltRelease> {
  built ??= pack();
  return built;
}

async function pack(): Promise<BuiltRelease> {
  const into = await mkdtemp(join(tmpdir(), 'tope-archive-'));
  atEndOf('file', () => rm(into, { recursive: true, force: true }));
  return buildRelease({ checkout: CHECKOUT, into });
}
