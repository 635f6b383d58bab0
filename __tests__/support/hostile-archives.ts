import { manifestEntry, MODULE_FILE } from './sample-package.js';
import { writeZip, type EntryDescription } from './zip-writer.js';

/** The entries of each archive beside its manifest, named after the rule that its error must tell. */
export const HOSTILE: Record<string, EntryDescription[]> = {
  'entry "../evil": its name holds ".."': [{ name: '../evil' }],
  'entry "a/../../evil": its name holds ".."': [{ name: 'a/../../evil' }],
  'entry "..": its name holds ".."': [{ name: '..' }],
  'entry "/etc/passwd": its name is absolute': [{ name: '/etc/passwd' }],
  'entry "a\\\\b": its name holds a backslash': [{ name: 'a\\b' }],
  'entry "..\\\\evil": its name holds a backslash': [{ name: '..\\evil' }],
  'entry "C:evil": its name begins with a drive letter': [{ name: 'C:evil' }],
  'entry "a\\u0000b": its name holds a NUL': [{ name: 'a\0b' }],
  'entry "Ã": its name is not valid UTF-8': [{ name: Buffer.from([0xc3]) }],
  'entry "aÿ": its name is not valid UTF-8': [{ name: Buffer.from([0x61, 0xff]), flags: 0x800 }],
  'entry "": its name is empty': [{ name: '' }],
  'its name is longer than 4096 bytes': [{ name: 'x'.repeat(4097) }],
  'it lies more than 100 folders deep': [{ name: 'x/'.repeat(100) + 'y' }],
  'entry "link": it is a symlink, not a file': [{ name: 'link', data: '/etc/passwd', mode: 0o120777 }],
  'entry "dos-link": it is a symlink, not a file': [{ name: 'dos-link', mode: 0o120777, host: 0 }],
  'entry "disk": it is a block device, not a file': [{ name: 'disk', mode: 0o060600 }],
  'entry "tty": it is a character device, not a file': [{ name: 'tty', mode: 0o020600 }],
  'entry "fifo": it is a FIFO, not a file': [{ name: 'fifo', mode: 0o010600 }],
  'entry "socket": it is a socket, not a file': [{ name: 'socket', mode: 0o140600 }],
  'entry "odd": it is of the unknown type 0160000, not a file': [{ name: 'odd', mode: 0o160644 }],
  'entry "folder": it is a folder whose name does not end in a slash': [{ name: 'folder', mode: 0o040755 }],
  'entry "folder/": it is a folder, yet has 3 bytes': [{ name: 'folder/', data: 'abc', mode: 0o040755 }],
  'entry "a": there are two entries of this name': [{ name: 'a' }, { name: 'b' }, { name: 'a' }],
  'entry "Manifest.JSON": its name equals manifest.json but for upper and lower case': [
    { name: 'Manifest.JSON' },
  ],
  'entry "manifest.json": there are two entries of this name': [manifestEntry()],
  'entry "secret": it is encrypted': [{ name: 'secret', data: 'x', flags: 0x1 }],
  'entry "masked": it is encrypted': [{ name: 'masked', data: 'x', flags: 0x2000 }],
  'entry "strong": strong encryption is not supported': [{ name: 'strong', data: 'x', flags: 0x41 }],
  'entry "hidden": its local header says it is encrypted': [
    { name: 'hidden', data: 'x', local: { flags: 1 } },
  ],
  'entry "patch": it is patched data': [{ name: 'patch', data: 'x', flags: 0x20 }],
  'entry "bz": unknown compression method 12': [{ name: 'bz', data: 'x', method: 12 }],
  'entry "zstd": unknown compression method 93': [{ name: 'zstd', data: 'x', method: 93 }],
  'entry "a": its local header tells the name "b", the central directory "a"': [
    { name: 'a', local: { name: Buffer.from('b') } },
  ],
  'entry "long": its local header tells the name "longer", the central directory "long"': [
    { name: 'long', local: { name: Buffer.from('longer') } },
  ],
  'entry "a": its local header tells the method 8, the central directory 0': [
    { name: 'a', data: 'x', local: { method: 8 } },
  ],
  'entry "a": its local header tells the size 2, the central directory 1': [
    { name: 'a', data: 'x', local: { size: 2 } },
  ],
  'entry "a": its local header tells the compressed size 0, the central directory 1': [
    { name: 'a', data: 'x', local: { compressedSize: 0 } },
  ],
  'entry "a": its local header tells the CRC 7': [{ name: 'a', data: 'x', local: { crc: 7 } }],
  'entry "z": its local header tells the size 9, the central directory 1': [
    { name: 'z', data: 'x', zip64: true, local: { size: 9 } },
  ],
  'entry "z": its local ZIP64 field lacks a size': [
    { name: 'z', data: 'x', zip64: true, local: { extra: Buffer.alloc(0) } },
  ],
  'entry "z": zip64 extended information extra field does not include uncompressed size': [
    { name: 'z', data: 'x', zip64: true, central: { extra: Buffer.from([1, 0, 0, 0]) } },
  ],
  'entry "z": extra field length exceeds extra field buffer size': [
    { name: 'z', data: 'x', central: { extra: Buffer.from([1, 0, 200, 0]) } },
  ],
  'entry "z": its size is beyond 2^53 bytes': [
    { name: 'z', data: 'x', method: 8, zip64: true, central: { size: Number.MAX_SAFE_INTEGER + 1 } },
  ],
  'entry "stored": it is stored, yet 1 bytes shall become 5': [
    { name: 'stored', data: 'x', central: { size: 5 } },
  ],
  'entry "late": its data descriptor does not tell what the central directory tells': [
    { name: 'late', data: 'x', descriptor: 'missing' },
  ],
  'entry "crc": its data descriptor does not tell what the central directory tells': [
    { name: 'crc', data: 'x', descriptor: 'signed', descriptorTold: { crc: 1 } },
  ],
  'entry "size": its data descriptor does not tell what the central directory tells': [
    { name: 'size', data: 'x', descriptor: 'unsigned', descriptorTold: { size: 2 } },
  ],
  'entry "size64": its data descriptor does not tell what the central directory tells': [
    { name: 'size64', data: 'x', descriptor: 'signed64', descriptorTold: { compressedSize: 2 } },
  ],
  'entry "half": its local header tells the size 9, the central directory 1': [
    { name: 'half', data: 'x', descriptor: 'signed', local: { size: 9 } },
  ],
  'entry "twin": it overlaps the entry "manifest.json"': [{ name: 'twin', central: { offset: 0 } }],
  'entry "inner": it overlaps the entry "outer"': quoted('outer', 'inner'),
  'entry "far": its local header lies outside the archive': [
    { name: 'far', central: { offset: 0xfffffff0 } },
  ],
  'entry "nowhere": there is no local header where it should be': [
    MODULE_FILE,
    { name: 'big', data: 'x'.repeat(100) },
    { name: 'nowhere', raw: Buffer.alloc(0), local: { name: Buffer.alloc(0) }, central: { offset: 900 } },
  ],
  'entry "greedy": its data reaches into the central directory': [
    {
      name: 'greedy',
      data: 'x',
      method: 8,
      local: { compressedSize: 999 },
      central: { compressedSize: 999 },
    },
  ],
};

/** A stored entry whose bytes are another entry's header and data: both are read from the same bytes. */
function quoted(outer: string, inner: string): EntryDescription[] {
  const nested = writeZip({ entries: [{ name: inner, data: 'twice' }] }).subarray(0, 30 + inner.length + 5);
  const first = manifestEntry();
  const before = 30 + 'manifest.json'.length + Buffer.byteLength(first.data ?? '');
  return [
    { name: outer, data: nested },
    { name: inner, data: 'twice', central: { offset: before + 30 + outer.length } },
  ];
}

/** One entry that is to be found nowhere points behind the last one, where bytes of no header stand. */
export function gapFor(rule: string): Buffer {
  return rule.includes('nowhere') ? Buffer.alloc(2000) : Buffer.alloc(0);
}
