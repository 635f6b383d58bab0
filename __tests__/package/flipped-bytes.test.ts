import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { PackageExpectations } from '../../services/package/inspect-package.js';
import { verdictOn } from '../fuzz/device-verdict.js';
import { makeSigningKey, signBytes, type SigningKey } from '../support/minisign-key.js';
import { EXPECTATIONS } from '../support/sample-package.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { sha256 } from '../support/file-tree.js';
import { writeZip } from '../support/zip-writer.js';

const PROGRAM = Buffer.from('#!/bin/sh\nexec /usr/bin/printer\n');
const MODULE = { name: 'api', src: 'api', dst: '/opt/tope/api', mode: '0755', sha256: sha256(PROGRAM) };
const MANIFEST = Buffer.from(JSON.stringify({ version: '1.1.0', modules: [MODULE] }));
const TAKEN = { files: { [MODULE.dst]: MODULE.sha256 } };

let key: SigningKey;
let signature: Buffer;
beforeAll(() => {
  key = makeSigningKey();
  signature = signBytes(key, MANIFEST, 'version:1.1.0');
});

/** A device that demands signatures, with this key. */
async function device(...keys: SigningKey[]) {
  const folder = await temporaryFolder();
  for (const each of keys) await writeFile(join(folder, `${each.id}.pub`), each.publicFile);
  const path = join(folder, 'package.zip');
  const expectations: PackageExpectations = { ...EXPECTATIONS, signature: 'required', keysDir: folder };
  return {
    folder,
    judge: (archive: Buffer) => verdictOn(archive, path, expectations),
  };
}

/** Entries that are stored, so that their bytes stand in the archive as they are. */
function archive(manifest: Buffer, minisig: Buffer, program: Buffer): Buffer {
  return writeZip({
    entries: [
      { name: 'manifest.json', data: manifest },
      { name: 'manifest.json.minisig', data: minisig },
      { name: 'api', data: program, mode: 0o100755 },
    ],
  });
}

/** Each byte of some, with another of its bits flipped in each. */
function* flipsOf(bytes: Buffer): Generator<[at: number, flipped: Buffer]> {
  for (let at = 0; at < bytes.length; at += 1) {
    const flipped = Buffer.from(bytes);
    flipped.writeUInt8(bytes.readUInt8(at) ^ (1 << (at % 8)), at);
    yield [at, flipped];
  }
}

/** Where the words of the untrusted comment stand: nothing signs them. */
function isUntrusted(at: number): boolean {
  return at >= 'untrusted comment: '.length && at < signature.indexOf('\n');
}

describe('a signed package with a single byte changed is refused', () => {
  test('in the manifest, packed anew with the right CRC [P-47]', async () => {
    const { judge } = await device(key);
    expect(await judge(archive(MANIFEST, signature, PROGRAM))).toEqual(TAKEN);
    for (const [at, manifest] of flipsOf(MANIFEST))
      expect({ at, ...(await judge(archive(manifest, signature, PROGRAM))) }).toMatchObject({
        at,
        refused: 'SIGNATURE_INVALID',
      });
  });

  test('in the signature file, both signatures and all lines, but for the words of the untrusted comment [P-48]', async () => {
    const { judge } = await device(key);
    for (const [at, minisig] of flipsOf(signature)) {
      const verdict = await judge(archive(MANIFEST, minisig, PROGRAM));
      // A line feed in the comment would make another line of it.
      if (isUntrusted(at) && minisig[at] !== 10) expect([at, verdict]).toEqual([at, TAKEN]);
      else expect({ at, ...verdict }).toMatchObject({ at, refused: 'SIGNATURE_INVALID' });
    }
  });

  test('in a module, packed anew with the right CRC [P-50]', async () => {
    const { judge } = await device(key);
    for (const [at, program] of flipsOf(PROGRAM))
      expect({ at, ...(await judge(archive(MANIFEST, signature, program))) }).toMatchObject({
        at,
        refused: 'SHA256_MISMATCH',
      });
  });

  test('anywhere in the archive, or else brings the very same bytes', async () => {
    const { judge } = await device(key);
    const whole = archive(MANIFEST, signature, PROGRAM);
    const insideFiles = new Map<number, string>();
    for (const [name, bytes] of Object.entries({ MANIFEST, signature, PROGRAM })) {
      const start = whole.indexOf(bytes);
      for (let at = start; at < start + bytes.length; at += 1) insideFiles.set(at, name);
    }
    for (const [at, changed] of flipsOf(whole)) {
      const verdict = await judge(changed);
      if (insideFiles.has(at)) expect({ at, ...verdict }).toMatchObject({ at, refused: 'INVALID_PACKAGE' });
      else if ('files' in verdict) expect([at, verdict]).toEqual([at, TAKEN]);
    }
  });
});

describe('a signed package', () => {
  test('is taken with a second key of the folder, and no more once that is revoked [P-51]', async () => {
    const second = makeSigningKey();
    const { folder, judge } = await device(key, second);
    const bySecond = archive(MANIFEST, signBytes(second, MANIFEST), PROGRAM);
    expect(await judge(bySecond)).toEqual(TAKEN);
    await mkdir(join(folder, 'revoked'));
    await writeFile(join(folder, 'revoked', 'lost-laptop.pub'), second.publicFile);
    expect(await judge(bySecond)).toEqual({
      refused: 'SIGNATURE_INVALID',
      words: `the key ${second.id} is revoked`,
    });
    expect(await judge(archive(MANIFEST, signature, PROGRAM))).toEqual(TAKEN);
  });

  test('is refused where its signed manifest stands around the files of another package', async () => {
    const { judge } = await device(key);
    const other = Buffer.from('#!/bin/sh\nexec /bin/other\n');
    expect(await judge(archive(MANIFEST, signature, other))).toMatchObject({ refused: 'SHA256_MISMATCH' });
  });
});
