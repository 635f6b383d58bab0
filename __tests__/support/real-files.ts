import { existsSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';

export interface RealFile {
  path: string;
  size: number;
}

const LARGEST_LIBRARY = 8_000_000;
const LIBRARY_FOLDERS = ['/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu', '/usr/lib'];

/** This machine's node program: about 100 MB, where it is not linked with a library of its own. */
export function nodeProgram(): RealFile {
  const path = realpathSync(process.execPath);
  return { path, size: statSync(path).size };
}

/** Libraries of this machine, symlinks followed, of so many bytes together at least; fewer where it has no more. */
export function realLibraries(bytes: number): RealFile[] {
  const folder = LIBRARY_FOLDERS.find(existsSync) ?? '/lib';
  const names = readdirSync(folder).filter((name) => /\.so(\.\d+)*$/.test(name));
  const paths = new Set(names.sort().map((name) => realpathSync(join(folder, name))));
  const taken: RealFile[] = [];
  let sum = 0;
  for (const path of paths) {
    const { size } = statSync(path);
    if (sum >= bytes) break;
    if (size > LARGEST_LIBRARY) continue;
    taken.push({ path, size });
    sum += size;
  }
  return taken;
}
