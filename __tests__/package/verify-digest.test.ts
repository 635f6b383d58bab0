import { createHash } from 'node:crypto';
import { symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { hashPackage } from '../../services/package/verify-digest.js';
import { errorOf } from '../support/sample-package.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const BYTES = Buffer.from('a package');
const MD5 = createHash('md5').update(BYTES).digest('hex');
const SHA256 = createHash('sha256').update(BYTES).digest('hex');
const IDENTITY = { version: '1.0.0', md5: MD5, size: BYTES.length };
const OTHER_MD5 = '0'.repeat(32);
const OTHER_SHA256 = '0'.repeat(64);

async function packageFile(): Promise<string> {
  const path = join(await temporaryFolder(), 'package.zip');
  await writeFile(path, BYTES);
  return path;
}

describe('hashPackage', () => {
  test('accepts the ordered bytes, with digests in either case', async () => {
    const path = await packageFile();
    expect((await hashPackage(path, IDENTITY, null)).md5).toBe(MD5);
    await hashPackage(path, { ...IDENTITY, md5: MD5.toUpperCase() }, SHA256.toUpperCase());
  });

  test('refuses other bytes with MD5_MISMATCH and both digests [P-46]', async () => {
    const error = await errorOf(hashPackage(await packageFile(), { ...IDENTITY, md5: OTHER_MD5 }, null));
    expect(error).toMatchObject({ code: 'MD5_MISMATCH', facts: { discard: true } });
    expect(error.message).toContain(MD5);
    expect(error.message).toContain(OTHER_MD5);
  });

  test('refuses another SHA-256 with SHA256_MISMATCH and both digests [W-25]', async () => {
    const error = await errorOf(hashPackage(await packageFile(), IDENTITY, OTHER_SHA256));
    expect(error).toMatchObject({ code: 'SHA256_MISMATCH', facts: { discard: true } });
    expect(error.message).toContain(SHA256);
    expect(error.message).toContain(OTHER_SHA256);
  });

  test('refuses another size with PACKAGE_SIZE_MISMATCH and both sizes', async () => {
    const error = await errorOf(hashPackage(await packageFile(), { ...IDENTITY, size: 10 }, null));
    expect(error).toMatchObject({ code: 'PACKAGE_SIZE_MISMATCH', facts: { discard: true } });
    expect(error.message).toBe('ordered were 10 bytes, on disk are 9');
  });

  test('tells a missing file as INCOMPLETE_DOWNLOAD, with nothing to discard', async () => {
    const error = await errorOf(hashPackage(join(await temporaryFolder(), 'gone.zip'), IDENTITY, null));
    expect(error.code).toBe('INCOMPLETE_DOWNLOAD');
    expect(error.facts.discard).toBeUndefined();
  });

  test('refuses a symlink in the place of the package, even where its own length is right', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'other.zip'), BYTES);
    await symlink('other.zip', join(folder, 'link.zip'));
    const error = await errorOf(hashPackage(join(folder, 'link.zip'), IDENTITY, null));
    expect(error).toMatchObject({ code: 'INVALID_PACKAGE', facts: { discard: true } });
  });
});
