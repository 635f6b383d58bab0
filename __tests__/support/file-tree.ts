import { createHash } from 'node:crypto';
import { createReadStream, lstatSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

/** What can be told of a name on disk. */
export interface FileFacts {
  kind: 'file' | 'folder' | 'symlink' | 'other';
  /** Permission bits. */
  mode: number;
  uid: number;
  gid: number;
  ino: number;
  /** Of a folder 0: it changes whenever a name in it is made, for a moment too. */
  mtimeMs: number;
  /** Of a file the SHA-256 of its content, of a symlink its target. */
  content: string;
}

/** The updater's own folder in a managed root. */
const STORE = '.tope-updater';

/** All that stands below a folder, by relative path, without the updater's store. */
export async function readTree(root: string): Promise<Record<string, FileFacts>> {
  const rows: [string, FileFacts][] = [];
  for (const name of namesIn(root)) rows.push([name, await factsOf(join(root, name))]);
  return Object.fromEntries(rows);
}

/** The store is never walked: the updater tidies it while it is read. */
function namesIn(root: string): string[] {
  const tops = readdirSync(root).filter((name) => name !== STORE);
  const folders = tops.filter((name) => lstatSync(join(root, name)).isDirectory());
  const below = folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
  );
  return [...tops, ...below].sort();
}

export async function factsOf(path: string): Promise<FileFacts> {
  const stat = lstatSync(path);
  const { uid, gid, ino } = stat;
  const facts = { mode: stat.mode & 0o7777, uid, gid, ino, mtimeMs: stat.mtimeMs };
  if (stat.isFile()) return { ...facts, kind: 'file', content: await sha256Of(path) };
  if (stat.isSymbolicLink()) return { ...facts, kind: 'symlink', content: readlinkSync(path) };
  return { ...facts, mtimeMs: 0, kind: stat.isDirectory() ? 'folder' : 'other', content: '' };
}

/** SHA-256 of a file, in hex. */
export async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

/** Everything below folders: path → kind, mode, owner and digest (a symlink: its target). These names are left out. */
export async function treeOf(
  folders: readonly string[],
  leaveOut: readonly string[] = [STORE],
): Promise<Record<string, string>> {
  const tree: Record<string, string> = {};
  for (const folder of folders) await walk(folder, leaveOut, tree);
  return tree;
}

async function walk(folder: string, leaveOut: readonly string[], tree: Record<string, string>) {
  for (const name of readdirSync(folder).sort()) {
    if (leaveOut.includes(name)) continue;
    const path = join(folder, name);
    const { kind, mode, uid, gid, content } = await factsOf(path);
    const owner = `${mode.toString(8)} ${uid}:${gid}`;
    tree[path] = kind === 'symlink' ? `symlink ${content}` : `${kind} ${owner} ${content}`.trimEnd();
    if (kind === 'folder') await walk(path, leaveOut, tree);
  }
}

/** In hexadecimal digits; text counts as UTF-8. */
export function sha256(contents: string | Uint8Array): string {
  return createHash('sha256').update(contents).digest('hex');
}
