import type { FileHandle } from 'node:fs/promises';
import type { Attributes } from './attributes.js';
import type { FileRecord, Release } from './release.js';

/**
 * Writes a content into a fresh file; answers what was written. Throws where the content is not what was promised. With
 * null a kept content is only checked.
 */
export type Content = (target: FileHandle | null, signal: AbortSignal) => Promise<WrittenContent>;

export interface WrittenContent {
  sha256: string;
  size: number;
  /** The mode that the content itself asks for, where nobody else names one. */
  mode: number;
}

/** A file that shall stand at a path. null: not known, or taken from the file that it replaces. */
export interface WishedFile {
  sha256: string | null;
  size: number;
  mode: number | null;
  owner: { uid: number; gid: number } | null;
  xattrs: Attributes | null;
  content: Content;
  /** Whether a signature covers it: then it counts only once it was read back from the disk and hashed. */
  isSigned?: boolean;
  /** Where a kept content stands; null for one from a package. */
  object: string | null;
}

/** What shall be at one path, and what the live list says of it. */
export interface Wish {
  /** The path that the manifest or the list names. */
  asked: string;
  /** Where it leads. */
  path: string;
  /** undefined: the live list does not name the path. */
  listed: FileRecord | null | undefined;
  /** null: nothing shall be there. */
  file: WishedFile | null;
  /** The module that brings it, for people: `device-api (2/3)`; null where none does. */
  module: string | null;
}

/** The release that is wanted, before it is known which operations lead there. */
export interface WantedRelease {
  purpose: 'update' | 'rollback' | 'factory';
  live: Release | null;
  wishes: Wish[];
  /** Hash every path instead of trusting the live list (factory, and a reinstall of the live version). */
  hashesAll: boolean;
  /** The list without what staging finds out about `files`. */
  release: Release;
  postCommands: string[];
  notices: string[];
}
