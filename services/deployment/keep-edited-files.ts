import { dirname } from 'node:path';
import { isSystemError, look, makeFolders, removeFile, syncFolder } from '../disk.js';
import type { Log } from '../log/log.js';
import { writeAttributes } from './attributes.js';
import { sha256IfThere } from './content.js';
import { copyDurably } from './copy-durably.js';
import type { FoundFile, Operation } from './operation.js';

/** Edited files stay beside, as copies with the attributes they had. */
export async function keepEditedFiles(operations: readonly Operation[], log: Log): Promise<string[]> {
  const notices: string[] = [];
  for (const { path, oldAt, old, keepBeside } of operations) {
    if (keepBeside === null || oldAt === null || old === null) continue;
    if ((await sha256IfThere(keepBeside)) === old.sha256) {
      notices.push(keptWords(path, keepBeside));
      continue;
    }
    const words = (await keepEditedFile(oldAt, keepBeside, old, log))
      ? keptWords(path, keepBeside)
      : `${path} was edited on this device and could not be kept beside: its folder is none any more`;
    log.warn(words);
    notices.push(words);
  }
  return notices;
}

function keptWords(path: string, keepBeside: string): string {
  return `${path} was edited on this device: kept as ${keepBeside}`;
}

/**
 * Whether it could be kept: the new version, which runs by now, may have moved the folder away (then it is made again)
 * or made a file of it. The commit does not fail for that: the contents are among the objects too.
 */
async function keepEditedFile(oldAt: string, beside: string, old: FoundFile, log: Log): Promise<boolean> {
  try {
    const made = await makeFolders('commit.localCopy', dirname(beside), 0o755);
    for (const folder of made) await syncFolder('commit.sync', dirname(folder));
    await removeFile('commit.localCopy', beside);
    await copyDurably(oldAt, beside, old);
    await writeAttributes(new Map([[beside, old.xattrs]]), log);
    return true;
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR') && (await look(oldAt)) !== null) return false;
    throw error;
  }
}
