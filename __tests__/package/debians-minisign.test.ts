import { execFileSync } from 'node:child_process';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { isSignedBy, parsePublicKey, parseSignature } from '../../services/package/minisign.js';
import { judgeSignature } from '../../services/package/signature-policy.js';
import { makeSigningKey, signBytes } from '../support/minisign-key.js';
import { describeIf, hasProgram } from '../support/requirements.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const MINISIGN = { met: hasProgram('minisign'), needs: 'the package minisign' };
const MANIFEST = Buffer.from('{"version":"1.1.0"}');

describeIf(MINISIGN, 'Debian’s minisign [P-47]', () => {
  test('makes keys and signatures that are read here', async () => {
    const folder = await temporaryFolder();
    execFileSync('minisign', ['-G', '-W', '-p', 'key.pub', '-s', 'key.sec'], { cwd: folder, stdio: 'pipe' });
    await writeFile(join(folder, 'manifest.json'), MANIFEST);
    const comment = 'release 1.1.0, größe';
    execFileSync('minisign', ['-S', '-H', '-s', 'key.sec', '-m', 'manifest.json', '-t', comment], {
      cwd: folder,
    });
    const publicFile = await readFile(join(folder, 'key.pub'));
    const signature = parseSignature(await readFile(join(folder, 'manifest.json.minisig')));
    const key = parsePublicKey(publicFile);
    // Debian's minisign leaves leading zeros out.
    expect(publicFile.toString()).toContain(key.id.replace(/^0+/, ''));
    expect(signature.trustedComment.toString()).toBe(comment);
    expect(isSignedBy(key, signature, MANIFEST)).toBe(true);
    expect(isSignedBy(key, signature, Buffer.from('other'))).toBe(false);
    await rm(join(folder, 'key.sec'));
    expect(
      (
        await judgeSignature(MANIFEST, await readFile(join(folder, 'manifest.json.minisig')), {
          signature: 'required',
          keysDir: folder,
        })
      ).signedBy,
    ).toBe(key.id);
  });

  test('accepts the keys and signatures that the tests make', async () => {
    const folder = await temporaryFolder();
    const key = makeSigningKey();
    await writeFile(join(folder, 'key.pub'), key.publicFile);
    await writeFile(join(folder, 'manifest.json'), MANIFEST);
    await writeFile(join(folder, 'manifest.json.minisig'), signBytes(key, MANIFEST, 'by a test'));
    const said = execFileSync('minisign', ['-V', '-p', 'key.pub', '-m', 'manifest.json'], { cwd: folder });
    expect(said.toString()).toContain('Trusted comment: by a test');
  });
});
