import { openForReading, setOwnerAndMode, syncFile } from '../disk.js';
import type { StepName } from '../steps.js';

export interface OwnerAndMode {
  uid: number;
  gid: number;
  mode: number;
}

/** Gives a whole file its owner and mode (null: it keeps them) and makes it durable. Throws node's error. */
export async function finishFile(
  path: string,
  like: OwnerAndMode | null,
  steps: { attributes: StepName; sync: StepName },
): Promise<void> {
  // To be read is enough, and works for a file that its own mode forbids to write.
  const file = await openForReading(path);
  try {
    if (like !== null) await setOwnerAndMode(steps.attributes, file, like);
    await syncFile(steps.sync, file);
  } finally {
    await file.close();
  }
}
