import { isSameFile, type FileRecord } from './release.js';

/** A live file as it was found when it was staged: its record, and the stat that tells whether it was written since. */
export interface FoundFile extends FileRecord {
  /** Decimal text, as the times are: neither needs to fit a number. */
  ino: string;
  /** Nanoseconds. */
  mtimeNs: string;
  ctimeNs: string;
}

/** What has to be done to one path: replace, create or remove. */
export interface Operation {
  /** The path that the manifest or the list names; resolved again right before the switch. */
  asked: string;
  /** The real path. */
  path: string;
  /** Where the new file is staged; null for a removal. */
  newAt: string | null;
  /** Where the old file is held; null where nothing was there. */
  oldAt: string | null;
  /** The old file is held as a copy, because its inode has other links. */
  oldIsCopy: boolean;
  old: FoundFile | null;
  wanted: FileRecord | null;
  /** What the list that is left says of the path; undefined where it does not name it. */
  listed?: FileRecord | null;
  /** Where an edited file is kept beside at the commit. */
  keepBeside: string | null;
}

/** Whether what is on the device is not what the list says, in any way: content, mode, owner, or that it is there. */
export function differsFromList({ listed, old }: Pick<Operation, 'listed' | 'old'>): boolean {
  if (listed === undefined) return false;
  return listed === null || old === null ? listed !== old : !isSameFile(listed, old);
}

/** Whether the file on the device is not what the list says: it is the user's. */
export function isEdited({ listed, old }: Pick<Operation, 'listed' | 'old'>): boolean {
  return listed !== undefined && old !== null && listed?.sha256 !== old.sha256;
}
