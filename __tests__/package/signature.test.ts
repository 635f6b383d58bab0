import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { inspectPackage, type PackageExpectations } from '../../services/package/inspect-package.js';
import { judgeSignature } from '../../services/package/signature-policy.js';
import { makeSigningKey, signBytes, type SigningKey } from '../support/minisign-key.js';
import {
  EXPECTATIONS,
  errorOf,
  manifestEntry,
  MODULE,
  MODULE_FILE,
  writePackage,
} from '../support/sample-package.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import type { EntryDescription } from '../support/zip-writer.js';

const MANIFEST = Buffer.from('{"version":"1.1.0"}');

async function keyFolder(...keys: SigningKey[]): Promise<string> {
  const folder = await temporaryFolder();
  for (const key of keys) await writeFile(join(folder, `${key.id}.pub`), key.publicFile);
  return folder;
}

async function judge(
  signature: Buffer | null,
  keysDir: string,
  policy: 'off' | 'optional' | 'required' = 'required',
) {
  return await judgeSignature(MANIFEST, signature, { signature: policy, keysDir });
}

describe('a signature', () => {
  test('is accepted by the key of the folder that made it, whichever of several that is [P-51]', async () => {
    const [first, second] = [makeSigningKey(), makeSigningKey()];
    const folder = await keyFolder(first, second);
    for (const key of [first, second])
      expect(await judge(signBytes(key, MANIFEST), folder)).toEqual({ signedBy: key.id, warnings: [] });
  });

  test('is accepted by either of two keys that share an id', async () => {
    const [old, young] = [makeSigningKey(Buffer.alloc(8, 1)), makeSigningKey(Buffer.alloc(8, 1))];
    const folder = await keyFolder(old);
    await writeFile(join(folder, 'young.pub'), young.publicFile);
    expect((await judge(signBytes(young, MANIFEST), folder)).signedBy).toBe('0101010101010101');
  });

  test('is refused over other bytes, by an unknown key, and by another key with the same id [P-47, P-54]', async () => {
    const key = makeSigningKey();
    const impostor = makeSigningKey(key.idBytes);
    const folder = await keyFolder(key);
    for (const [signature, words] of [
      [
        signBytes(key, Buffer.from('{"version":"1.1.1"}')),
        `the signature by the key ${key.id} does not fit manifest.json`,
      ],
      [signBytes(impostor, MANIFEST), `the signature by the key ${key.id} does not fit manifest.json`],
      [
        signBytes(makeSigningKey(Buffer.alloc(8)), MANIFEST),
        'the key 0000000000000000 is not among the keys in',
      ],
    ] as const) {
      const error = await errorOf(judge(signature, folder, 'optional'));
      expect(error.line).toContain(`SIGNATURE_INVALID: ${words}`);
      expect(error.facts.discard).toBe(true);
    }
  });

  test.each(['old.pub', 'old', 'old.pub.txt'])(
    'is refused when its key is in revoked/, as %s, also where the key itself is still there',
    async (name) => {
      const key = makeSigningKey();
      const folder = await keyFolder(key);
      await mkdir(join(folder, 'revoked'));
      await writeFile(join(folder, 'revoked', name), key.publicFile);
      await writeFile(join(folder, 'revoked', '.gitkeep'), '');
      expect((await errorOf(judge(signBytes(key, MANIFEST), folder))).line).toBe(
        `SIGNATURE_INVALID: the key ${key.id} is revoked`,
      );
    },
  );

  test('is refused while a revoked key cannot be read, since it may be that one', async () => {
    const key = makeSigningKey();
    const folder = await keyFolder(key);
    await mkdir(join(folder, 'revoked'));
    await writeFile(join(folder, 'revoked', 'broken.pub'), 'scrambled');
    expect((await errorOf(judge(signBytes(key, MANIFEST), folder))).message).toContain('broken.pub');
  });

  test('is accepted beside a public key that cannot be read, with a warning that names it', async () => {
    const key = makeSigningKey();
    const folder = await keyFolder(key);
    await writeFile(join(folder, 'broken.pub'), 'scrambled\n');
    await writeFile(join(folder, 'notes.txt'), 'no key');
    const { signedBy, warnings } = await judge(signBytes(key, MANIFEST), folder);
    expect(signedBy).toBe(key.id);
    expect(warnings).toEqual([
      'A public key cannot be read: broken.pub: it must have 2 lines that end in a line feed',
    ]);
  });

  test('of the format that is not prehashed is refused, and the message says so [P-49]', async () => {
    const key = makeSigningKey();
    const error = await errorOf(judge(signBytes(key, MANIFEST, 'c', 'Ed'), await keyFolder(key)));
    expect(error.line).toContain(
      'SIGNATURE_INVALID: the signature is no minisign signature: it is not in the prehashed format',
    );
  });

  test('is refused with any single bit flipped, but for the words of the untrusted comment [P-48]', async () => {
    const key = makeSigningKey();
    const folder = await keyFolder(key);
    const good = signBytes(key, MANIFEST, 'timestamp:1 file:manifest.json');
    const free = { from: 'untrusted comment: '.length, to: good.indexOf('\n') };
    for (let at = 0; at < good.length; at += 1)
      for (let bit = 0; bit < 8; bit += 1) {
        if (at >= free.from && at < free.to) continue;
        const bad = Buffer.from(good);
        bad.writeUInt8(bad.readUInt8(at) ^ (1 << bit), at);
        const error = await errorOf(judge(bad, folder));
        expect([at, bit, error.code]).toEqual([at, bit, 'SIGNATURE_INVALID']);
      }
  }, 60_000);

  test.each([
    ['CRLF', (text: string) => text.replaceAll('\n', '\r\n')],
    ['a fifth line', (text: string) => `${text}\n`],
    ['padding that is missing', (text: string) => text.replace('=\n', '\n')],
    ['white space in the Base64', (text: string) => text.replace('\nRU', '\n RU')],
    ['the trusted comment gone', (text: string) => text.split('\n').slice(0, 2).join('\n')],
    ['nothing', () => ''],
  ])('is refused with %s [P-49, P-54]', async (_, change) => {
    const key = makeSigningKey();
    const changed = Buffer.from(change(signBytes(key, MANIFEST).toString('latin1')), 'latin1');
    const error = await errorOf(judge(changed, await keyFolder(key)));
    expect(error.line).toContain('SIGNATURE_INVALID: the signature is no minisign signature');
  });
});

describe('the policy [P-52]', () => {
  test('off looks at no signature, not even a wrong one', async () => {
    expect(await judge(Buffer.from('nonsense'), '/nonexistent', 'off')).toEqual({
      signedBy: null,
      warnings: [],
    });
  });

  test('optional accepts an unsigned package with a warning [P-53]', async () => {
    expect(await judge(null, '/nonexistent', 'optional')).toEqual({
      signedBy: null,
      warnings: ['The package is not signed'],
    });
  });

  test('required refuses an unsigned package', async () => {
    expect((await errorOf(judge(null, '/nonexistent'))).line).toContain(
      'SIGNATURE_INVALID: the package is not signed',
    );
  });
});

describe('where signatures are required, a package', () => {
  const KEY = makeSigningKey();
  const MODULES = [{ ...MODULE, sha256: 'ab'.repeat(32), health: { exec: ['/bin/true'] } }];

  async function inspectSigned(
    fields: Record<string, unknown>,
    expectations: Partial<PackageExpectations> = {},
    change: (entries: EntryDescription[]) => void = () => undefined,
  ) {
    const manifest = manifestEntry({ modules: MODULES, ...fields });
    const signature = signBytes(KEY, Buffer.from(manifest.data ?? ''));
    const entries = [manifest, { name: 'manifest.json.minisig', data: signature }, MODULE_FILE];
    change(entries);
    const path = await writePackage(await temporaryFolder(), entries);
    const keysDir = await keyFolder(KEY);
    return await inspectPackage(path, { ...EXPECTATIONS, signature: 'required', keysDir, ...expectations });
  }

  test('is told with the id of its key, and may bring a health check that runs a program [D-100]', async () => {
    const { signedBy, warnings } = await inspectSigned({});
    expect(signedBy).toBe(KEY.id);
    expect(warnings).toEqual([]);
  });

  test('is refused before its JSON is looked at when the signature is wrong', async () => {
    const error = await errorOf(
      inspectSigned({}, {}, (entries) => entries.splice(0, 1, { name: 'manifest.json', data: '{not json' })),
    );
    expect(error.code).toBe('SIGNATURE_INVALID');
  });

  test('is refused without a digest for each module [P-50]', async () => {
    const error = await errorOf(inspectSigned({ modules: [MODULE] }));
    expect(error.line).toBe(
      'INVALID_MANIFEST: modules[0].sha256 is missing: where signatures are required every module needs one',
    );
    const folder = { name: 'web', src: 'modules/', dst: '/opt/tope/web' };
    expect((await errorOf(inspectSigned({ modules: [folder] }))).message).toContain(
      'src "modules/" is a folder',
    );
  });

  test('of a lower version is refused, unless its manifest or the configuration allows it [P-4, P-26]', async () => {
    const installed = { installedVersion: '1.10.0' };
    const error = await errorOf(inspectSigned({}, installed));
    expect(error.line).toContain('VERSION_NOT_ALLOWED: 1.1.0 is lower than 1.10.0, which is installed');
    expect((await inspectSigned({ allow_downgrade: true }, installed)).files).toHaveLength(1);
    expect((await inspectSigned({}, { ...installed, allowDowngrade: true })).files).toHaveLength(1);
    expect((await inspectSigned({}, { installedVersion: '1.1.0' })).files).toHaveLength(1);
  });
});
