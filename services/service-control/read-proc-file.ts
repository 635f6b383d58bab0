import { openForReading } from '../disk.js';

/** The kernel hands out a page at a time. */
const PIECE_BYTES = 4096;

/**
 * A file of /proc as text. It tells no size, for which node's readFile takes a buffer of 512 KiB: a hundred MiB for the
 * processes of a device. Throws node's error.
 */
export async function readProcFile(path: string): Promise<string> {
  const file = await openForReading(path);
  try {
    const piece = Buffer.allocUnsafe(PIECE_BYTES);
    const read: Buffer[] = [];
    for (;;) {
      const { bytesRead } = await file.read(piece, 0, PIECE_BYTES, null);
      if (bytesRead === 0) return Buffer.concat(read).toString();
      read.push(Buffer.from(piece.subarray(0, bytesRead)));
    }
  } finally {
    await file.close();
  }
}
