import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Manifest, ManifestModule } from './manifest.js';
import { quote } from './package-errors.js';
import { Problems } from './problems.js';

interface BroughtFile {
  module: ManifestModule;
  path: string;
}

/** Work for well below 20 ms; then others get their turn. */
const FILES_PER_TURN = 200;

/**
 * Refuses a package of which two modules write the same path, one writes inside another's file, or one removes what is
 * brought. Paths are compared as they are written; after symlinks are resolved the deployment compares them again.
 * Throws INVALID_MANIFEST naming path and modules.
 */
export async function refuseCollisions(manifest: Manifest, files: readonly BroughtFile[]): Promise<void> {
  const problems = new Problems();
  const writers = new Map<string, ManifestModule>();
  let walked = 0;
  for (const { module, path } of files) {
    if (++walked % FILES_PER_TURN === 0) await nextTurn();
    const other = writers.get(path);
    if (other !== undefined)
      problems.add(
        `module ${quote(module.name)}`,
        `writes ${quote(path)}, which ${quote(other.name)} writes`,
      );
    writers.set(path, module);
  }
  // Most folders above a file are as long as no file's path, and need no lookup.
  const lengths = new Set(files.map((file) => file.path.length));
  let folderBefore = '';
  for (const { module, path } of files) {
    if (++walked % FILES_PER_TURN === 0) await nextTurn();
    const folder = path.slice(0, path.lastIndexOf('/'));
    // Files of one folder mostly stand together, and one answer is enough for them.
    if (folder === folderBefore) continue;
    folderBefore = folder;
    const file = fileAbove(path, writers, lengths);
    if (file !== null)
      problems.add(`module ${quote(module.name)}`, `writes ${quote(path)} inside the file ${quote(file)}`);
  }
  manifest.modules.forEach((module, index) => {
    for (const path of module.remove)
      if (writers.has(path))
        problems.add(`modules[${index}].remove`, `names ${quote(path)}, which the package brings`);
  });
  problems.throwIfAny();
}

function fileAbove(
  path: string,
  writers: ReadonlyMap<string, ManifestModule>,
  lengths: ReadonlySet<number>,
): string | null {
  for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) {
    if (!lengths.has(at)) continue;
    const above = path.slice(0, at);
    if (writers.has(above)) return above;
  }
  return null;
}
