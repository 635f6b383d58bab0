import { toUpdateError, UpdateError } from '../../machines/errors.js';
import { isSystemError } from '../disk.js';
import { freeBytes } from '../free-room.js';

/**
 * What went wrong with the work folder during a download, as an error of the table. A full disk needs the room of the
 * partial for more important things; bytes on a disk that answers EIO are not worth keeping.
 */
export async function diskFailure(thrown: unknown, folder: string, needed: number): Promise<UpdateError> {
  if (isSystemError(thrown, 'ENOSPC', 'EDQUOT')) {
    const available = await roomIn(folder);
    const message = `no room left in ${folder}: needed ${needed} more bytes, available ${available}`;
    return new UpdateError('DISK_FULL', message, { discard: true, cause: thrown });
  }
  if (isSystemError(thrown)) {
    const message = `cannot write the package to ${folder} (${thrown.code ?? ''})`;
    const discard = isSystemError(thrown, 'EIO');
    return new UpdateError('DOWNLOAD_FAILED', message, { discard, cause: thrown });
  }
  return toUpdateError(thrown);
}

/** 0 where the disk cannot even tell. */
async function roomIn(folder: string): Promise<number> {
  return freeBytes(folder).catch(() => 0);
}
