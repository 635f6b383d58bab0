import fc, { type Arbitrary } from 'fast-check';
import type { EntryDescription, Told } from '../support/zip-writer.js';

/** Anything in the place of a value that has a form. */
const anything = fc.oneof(
  fc.constantFrom<unknown>(null, true, -1, 1.5, 2 ** 53, '', [], {}, [[]], { toString: 1 }, '__proto__'),
  fc.jsonValue({ maxDepth: 2 }),
);

function mostly<Value>(good: Arbitrary<Value>): Arbitrary<unknown> {
  return fc.oneof({ weight: 30, arbitrary: good }, { weight: 1, arbitrary: anything });
}

function often<Value>(good: readonly Value[], bad: readonly Value[]): Arbitrary<Value> {
  return fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom(...good) },
    { weight: 1, arbitrary: fc.constantFrom(...bad) },
  );
}

/** Ends of paths; out/, in/ and loop lead elsewhere on the device. */
const tail = often(
  ['a', 'b', 'c/d', 'deep/er/file', 'größe', 'out/x', 'in/x', 'loop/x', 'in', ' ', '-rf'],
  [
    ...['..', '../x', 'a/../../x', './a', 'a//b', 'a/', '', 'a\0b', 'a\\b', 'x'.repeat(300)],
    ...['.tope-updater/current', '.tope-updater'],
  ],
);

/** A path of a manifest: below a root mostly, elsewhere now and then. */
function pathBelow(root: string): Arbitrary<string> {
  const start = often([root], [`${root}x`, '/etc', '', '/', `${root}/..`, 'C:']);
  return fc.tuple(start, tail).map(([from, to]) => `${from}/${to}`);
}

const source = often(
  ['m/a', 'm/b', 'm/d/', 'm/d/e'],
  ['m/', '', '/', '..', 'm/../m/a', 'none', 'manifest.json', 'm/a/'],
);

/** A manifest that keeps most rules and breaks some. */
export function manifests(root: string): Arbitrary<unknown> {
  const path = pathBelow(root);
  const module = fc.record(
    {
      name: mostly(fc.string({ minLength: 1, maxLength: 4 })),
      src: mostly(source),
      dst: mostly(path),
      process_name: mostly(often<unknown>(['api', null], ['../api', 'a b', '-x', 'api.socket'])),
      restart_order: mostly(fc.integer()),
      post_cmds: mostly(fc.constant([])),
      sha256: mostly(often<unknown>([null], ['ab'.repeat(32)])),
      mode: mostly(fc.constantFrom('0755', '4755', '7777', '0000')),
      remove: mostly(fc.array(path, { maxLength: 1 })),
      health: mostly(often<unknown>([{ http: 'http://127.0.0.1:1/' }, null], [{ exec: ['/bin/true'] }])),
    },
    { requiredKeys: ['name', 'src', 'dst'] },
  );
  return fc.record(
    {
      version: fc.oneof({ weight: 30, arbitrary: fc.constant<unknown>('1.1.0') }, anything),
      modules: fc.oneof(
        { weight: 30, arbitrary: fc.array(module, { minLength: 1, maxLength: 2 }) },
        anything,
      ),
      min_version: mostly(often(['0.0.0'], ['9.9.9'])),
      allow_downgrade: mostly(fc.boolean()),
      compatible: mostly(fc.constantFrom(null, ['x5'])),
    },
    { requiredKeys: ['version', 'modules'] },
  );
}

const name = fc.oneof(
  fc.constantFrom(
    'm/a',
    'm/b',
    'm/d/',
    'm/d/e',
    'm',
    'm/',
    'manifest.json',
    'MANIFEST.json',
    '../x',
    '/x',
    'a\\b',
    '',
  ),
  fc.string({ maxLength: 12 }),
  fc.uint8Array({ maxLength: 8 }).map((bytes) => Buffer.from(bytes)),
);

const number = fc.constantFrom(0, 1, 3, 4, 8, 99, 0xffff);
const lie: Arbitrary<Told> = fc.record(
  { flags: number, method: number, crc: number, compressedSize: number, size: number },
  { requiredKeys: [] },
);

/** An entry of an archive, honest in most of what it tells. */
const entry: Arbitrary<EntryDescription> = fc.record(
  {
    name,
    data: fc.string({ maxLength: 200 }),
    method: fc.constantFrom(0, 8, 8, 12),
    flags: fc.constantFrom(0, 0, 0x800, 1, 8),
    mode: fc.constantFrom(0o100644, 0o104755, 0o120777, 0o040755, 0o010644, 0),
    host: fc.constantFrom(0, 3),
    descriptor: fc.constantFrom('signed' as const, 'unsigned64' as const, 'missing' as const),
    zip64: fc.boolean(),
    local: lie,
    central: lie,
  },
  { requiredKeys: ['name', 'data'] },
);

export const entries = fc.array(entry, { maxLength: 5 });
