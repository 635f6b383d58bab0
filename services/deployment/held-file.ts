import { copyToNewFile, linkFile, openForReading, setOwnerAndMode, syncFile } from '../disk.js';
import type { Log } from '../log/log.js';
import { writeAttributes, type Attributes } from './attributes.js';
import { statFile } from './live-file.js';

/** Holds the old file of an operation: by a link to its inode, or by a copy where other names share it. */
export async function hold(path: string, oldAt: string, asCopy: boolean): Promise<void> {
  if (!asCopy) return linkFile('staging.link', path, oldAt);
  await copyToNewFile('staging.copy', path, oldAt);
  const from = await statFile(path);
  if (from !== null) await finish(oldAt, from);
}

/** What a staged file is given last. */
export interface FinalAttributes {
  uid: number;
  gid: number;
  mode: number;
  xattrs: Attributes;
}

/**
 * Gives staged files their attributes, durably. An ACL brings permission bits of its own (acl(5)), so the mode, which
 * is the one that counts, is set after it.
 */
export async function giveAttributes(files: ReadonlyMap<string, FinalAttributes>, log: Log): Promise<void> {
  const some = [...files].filter(([, { xattrs }]) => Object.keys(xattrs).length > 0);
  await writeAttributes(new Map(some.map(([path, { xattrs }]) => [path, xattrs])), log);
  for (const [path, attributes] of some) await finish(path, attributes);
}

/** Durably. Opened to be read, which is enough, and works for a file that its own mode forbids to write. */
async function finish(path: string, like: { uid: number; gid: number; mode: number }): Promise<void> {
  const file = await openForReading(path);
  try {
    await setOwnerAndMode('staging.attributes', file, like);
    await syncFile('staging.sync', file);
  } finally {
    await file.close();
  }
}
