/** Bits that no package can set: setuid, setgid, sticky, writable by everyone. */
const DROPPED = 0o7002;
const PLAIN = 0o644;
const EXECUTABLE = 0o755;
const ELF = Buffer.from([0x7f, 0x45, 0x4c, 0x46]);
const SCRIPT = Buffer.from('#!');

/** As many first bytes of a file as `modeOfFile` looks at. */
export const TELLING_BYTES = 4;

/** Whether a mode holds bits that are dropped. */
export function hasDroppedBits(mode: number | null): boolean {
  return mode !== null && (mode & DROPPED) !== 0;
}

/**
 * The mode that a new file gets (package format): the manifest's or the ZIP entry's, else 0755 for a file that begins
 * with `#!` or an ELF header, else 0644; never setuid, setgid, sticky or writable by everyone. `firstBytes` are the
 * file's first TELLING_BYTES, or all where it is shorter.
 */
export function modeOfFile(mode: number | null, firstBytes: Uint8Array): number {
  if (mode !== null) return mode & 0o777 & ~DROPPED;
  const begins = (magic: Buffer): boolean => magic.equals(firstBytes.subarray(0, magic.length));
  return begins(ELF) || begins(SCRIPT) ? EXECUTABLE : PLAIN;
}
