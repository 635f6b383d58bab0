/** A file of a tape archive. */
export interface TarEntry {
  name: string;
  bytes: Buffer;
}

const BLOCK = 512;

/** An archive in the form of POSIX.1-1988 (ustar): regular files of mode 0600, names of 100 bytes at most. */
export function tarOf(entries: readonly TarEntry[], modified: Date): Buffer {
  const parts = entries.flatMap(({ name, bytes }) => [
    headerOf(name, bytes.length, modified),
    bytes,
    Buffer.alloc((BLOCK - (bytes.length % BLOCK)) % BLOCK),
  ]);
  return Buffer.concat([...parts, Buffer.alloc(2 * BLOCK)]);
}

function headerOf(name: string, size: number, modified: Date): Buffer {
  if (Buffer.byteLength(name) > 100) throw new Error(`${name} has more than 100 bytes`);
  const header = Buffer.alloc(BLOCK);
  const seconds = Math.max(0, Math.floor(modified.getTime() / 1000));
  const octal = (value: number, digits: number) => value.toString(8).padStart(digits, '0');
  header.write(name, 0);
  header.write(octal(0o600, 7), 100);
  header.write(octal(0, 7), 108);
  header.write(octal(0, 7), 116);
  header.write(octal(size, 11), 124);
  header.write(octal(seconds, 11), 136);
  // The checksum counts as spaces while it is summed up.
  header.write(' '.repeat(8), 148);
  header.write('0', 156);
  header.write('ustar\u000000', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${octal(sum, 6)}\0 `, 148);
  return header;
}
