import fc, { type Arbitrary } from 'fast-check';

/** A change of an archive's bytes; positions are fractions, so that they fit any archive. */
export type Mutation =
  | { kind: 'flip'; at: number; bit: number }
  | { kind: 'cut'; at: number; bytes: number }
  | { kind: 'insert'; at: number; bytes: Uint8Array }
  | { kind: 'copy'; at: number; from: number; bytes: number }
  | { kind: 'end'; at: number }
  | { kind: 'field'; record: number; offset: number; width: 1 | 2 | 4; value: number };

/** What lies at the edges of a field: where numbers wrap, where ZIP64 begins. */
const EDGES = [0, 1, 8, 12, 0x7f, 0xff, 0x7fff, 0xfffe, 0xffff, 0x7fffffff, 0xfffffffe, 0xffffffff];
const SIGNATURES = ['PK\x01\x02', 'PK\x03\x04', 'PK\x05\x06', 'PK\x06\x06', 'PK\x06\x07', 'PK\x07\x08'];

const place = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });
const some = fc.integer({ min: 1, max: 64 });

const mutation: Arbitrary<Mutation> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('flip' as const), at: place, bit: fc.nat(7) }) },
  fc.record({ kind: fc.constant('cut' as const), at: place, bytes: some }),
  fc.record({ kind: fc.constant('insert' as const), at: place, bytes: fc.uint8Array({ maxLength: 64 }) }),
  fc.record({ kind: fc.constant('copy' as const), at: place, from: place, bytes: some }),
  fc.record({ kind: fc.constant('end' as const), at: place }),
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('field' as const),
      record: fc.nat(20),
      offset: fc.integer({ min: 4, max: 56 }),
      width: fc.constantFrom(1 as const, 2 as const, 4 as const),
      value: fc.oneof(fc.constantFrom(...EDGES), fc.nat(0xffff)),
    }),
  },
);

export const mutations = fc.array(mutation, { minLength: 1, maxLength: 4 });

/** The bytes with all changes made, one after the other. */
export function mutated(archive: Buffer, changes: readonly Mutation[]): Buffer {
  return changes.reduce(
    (bytes: Buffer, change) => (bytes.length === 0 ? bytes : changed(bytes, change)),
    archive,
  );
}

function changed(bytes: Buffer, change: Mutation): Buffer {
  if (change.kind === 'field') return withField(bytes, change);
  const at = Math.floor(change.at * bytes.length);
  const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)];
  switch (change.kind) {
    case 'flip': {
      const copy = Buffer.from(bytes);
      copy.writeUInt8(copy.readUInt8(at) ^ (1 << change.bit), at);
      return copy;
    }
    case 'cut':
      return Buffer.concat([before, after.subarray(change.bytes)]);
    case 'insert':
      return Buffer.concat([before, change.bytes, after]);
    case 'copy': {
      const from = Math.floor(change.from * bytes.length);
      return Buffer.concat([before, bytes.subarray(from, from + change.bytes), after]);
    }
    case 'end':
      return before;
  }
}

/** Overwrites a number within one of the archive's records. */
function withField(bytes: Buffer, { record, offset, width, value }: Mutation & { kind: 'field' }): Buffer {
  const starts = recordsOf(bytes);
  const start = starts[record % Math.max(1, starts.length)] ?? 0;
  const at = start + offset;
  if (at + width > bytes.length) return bytes;
  const copy = Buffer.from(bytes);
  copy.writeUIntLE(value % 2 ** (8 * width), at, width);
  return copy;
}

function recordsOf(bytes: Buffer): number[] {
  const text = bytes.toString('latin1');
  const starts: number[] = [];
  for (const signature of SIGNATURES)
    for (let at = text.indexOf(signature); at !== -1; at = text.indexOf(signature, at + 1)) starts.push(at);
  return starts.sort((a, b) => a - b);
}
