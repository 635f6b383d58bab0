import { createHash } from 'node:crypto';
import { lstat, readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Everything below folders: path → kind, mode, owner and digest (a symlink: its target). Folders of
 * these names are left out.
 */
export async function treeOf(
  folders: readonly string[],
  leaveOut: readonly string[] = ['.tope-updater'],
): Promise<Record<string, string>> {
  const tree: Record<string, string> = {};
  for (const folder of folders) await walk(folder, leaveOut, tree);
  return tree;
}

async function walk(folder: string, leaveOut: readonly string[], tree: Record<string, string>) {
  for (const name of (await readdir(folder)).sort()) {
    if (leaveOut.includes(name)) continue;
    const path = join(folder, name);
    const entry = await lstat(path);
    const owner = `${(entry.mode & 0o7777).toString(8)} ${entry.uid}:${entry.gid}`;
    if (entry.isDirectory()) {
      tree[path] = `folder ${owner}`;
      await walk(path, leaveOut, tree);
    } else if (entry.isSymbolicLink()) tree[path] = `symlink ${await readlink(path)}`;
    else if (entry.isFile()) tree[path] = `file ${owner} ${sha256(await readFile(path))}`;
    else tree[path] = `other ${owner}`;
  }
}

/** In hexadecimal digits; text counts as UTF-8. */
export function sha256(contents: string | Uint8Array): string {
  return createHash('sha256').update(contents).digest('hex');
}
