import { copyToNewFile, linkFile } from '../disk.js';
import type { Log } from '../log/log.js';
import { writeAttributes, type Attributes } from './attributes.js';
import { finishFile, type OwnerAndMode } from './finish-file.js';
import { statFile } from './live-file.js';

const STEPS = { attributes: 'staging.attributes', sync: 'staging.sync' } as const;

/** Holds the old file of an operation: by a link to its inode, or by a copy where other names share it. */
export async function hold(path: string, oldAt: string, asCopy: boolean): Promise<void> {
  if (!asCopy) return linkFile('staging.link', path, oldAt);
  await copyToNewFile('staging.copy', path, oldAt);
  const from = await statFile(path);
  if (from !== null) await finishFile(oldAt, from, STEPS);
}

/** What a staged file is given last. */
export interface FinalAttributes extends OwnerAndMode {
  xattrs: Attributes;
}

/**
 * Gives staged files their attributes, durably. An ACL brings permission bits of its own (acl(5)), so the mode, which
 * is the one that counts, is set after it.
 */
export async function giveAttributes(files: ReadonlyMap<string, FinalAttributes>, log: Log): Promise<void> {
  const some = [...files].filter(([, { xattrs }]) => Object.keys(xattrs).length > 0);
  await writeAttributes(new Map(some.map(([path, { xattrs }]) => [path, xattrs])), log);
  for (const [path, attributes] of some) await finishFile(path, attributes, STEPS);
}
