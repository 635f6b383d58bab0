import { execFileSync } from 'node:child_process';
import { createHash, scryptSync } from 'node:crypto';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { makeKeyFiles, parseSecretKey, signManifest } from '../../scripts/pack/minisign-secret.js';
import { isSignedBy, parsePublicKey, parseSignature } from '../../services/package/minisign.js';
import { folderToPack, MODULES, pack, USUAL } from '../support/folder-to-pack.js';
import { describeIf, hasProgram } from '../support/requirements.js';
import { runNode } from '../support/run-node.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const MINISIGN = { met: hasProgram('minisign'), needs: 'the package minisign' };
const SINGLE_FILES = MODULES.filter(({ src }) => !src.endsWith('/'));

const minisign = (folder: string, ...args: string[]) =>
  execFileSync('minisign', args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

function command(environment: NodeJS.ProcessEnv, ...args: string[]) {
  return runNode('scripts/tope-updater.js', args, { TOPE_CONFIG: undefined, ...environment });
}

/** A folder with a key of `keygen` and a package that it has signed. */
async function signedPackage() {
  const keys = await temporaryFolder();
  const [secret, open] = [join(keys, 'release.key'), join(keys, 'release.pub')];
  const made = await command({}, 'keygen', '-s', secret, '-p', open);
  const id = made.stdout.trim();
  const packed = await pack(await folderToPack({ modules: SINGLE_FILES }), ...USUAL, '--sign', secret);
  return { keys, secret, open, id, made, packed };
}

describe('keygen', () => {
  test('makes a pair of files, the secret one for its owner alone, and prints the id', async () => {
    const { secret, open, id, made } = await signedPackage();
    expect(made).toMatchObject({ exitCode: 0, stderr: '' });
    expect(id).toMatch(/^[0-9A-F]{16}$/);
    expect((await stat(secret)).mode & 0o777).toBe(0o600);
    expect(parsePublicKey(await readFile(open)).id).toBe(id);
    expect(parseSecretKey(await readFile(secret, 'utf8'), null).id).toBe(id);
  });

  test('overwrites no file', async () => {
    const { keys, secret, open } = await signedPackage();
    const before = [await readFile(secret), await readFile(open)];
    const { exitCode, stderr } = await command({}, 'keygen', '-s', secret, '-p', join(keys, 'other.pub'));
    expect([exitCode, stderr]).toEqual([
      1,
      `tope-updater: ${secret} is there already; a key is never overwritten\n`,
    ]);
    expect(await command({}, 'keygen', '-s', `${secret}2`, '-p', open)).toMatchObject({ exitCode: 1 });
    expect([await readFile(secret), await readFile(open)]).toEqual(before);
  });

  test.each([
    [['-s', 'a'], '-s FILE and -p FILE are both needed'],
    [['-s', 'a', '-p', 'b'], '-p is b: expected a name that ends in .pub'],
  ])('is told what is wrong with %p', async (args, words) => {
    const { exitCode, stderr } = await command({}, 'keygen', ...args);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(words);
  });
});

describe('pack --sign', () => {
  test('tells the key on standard error, and gives the same bytes for the same input', async () => {
    const { secret, id, packed } = await signedPackage();
    expect([packed.exitCode, packed.err]).toEqual([0, `signed by the key ${id}\n`]);
    const again = await pack(await folderToPack({ modules: SINGLE_FILES }), ...USUAL, '--sign', secret);
    expect((await readFile(again.path)).equals(await readFile(packed.path))).toBe(true);
  });

  test('refuses a folder as a module, since no signature would cover its files', async () => {
    const { secret } = await signedPackage();
    const { exitCode, err } = await pack(await folderToPack(), ...USUAL, '--sign', secret);
    expect(exitCode).toBe(1);
    expect(err).toContain('is a folder, which no signature covers; name its files one by one');
  });

  test.each([
    ['a public key', makeKeyFiles().publicFile],
    ['nothing', ''],
    ['a damaged key', damaged(makeKeyFiles().secretFile)],
  ])('refuses %s in the place of a secret one', async (_, contents) => {
    const file = join(await temporaryFolder(), 'key');
    await writeFile(file, contents);
    const { exitCode, err } = await pack(
      await folderToPack({ modules: SINGLE_FILES }),
      ...USUAL,
      '--sign',
      file,
    );
    expect(exitCode).toBe(1);
    expect(err).toContain(`the key ${file} cannot be used: it is `);
  });
});

function damaged(secretFile: string): string {
  const [comment = '', encoded = ''] = secretFile.split('\n');
  const bytes = Buffer.from(encoded, 'base64');
  bytes.writeUInt8(bytes.readUInt8(70) ^ 1, 70);
  return `${comment}\n${bytes.toString('base64')}\n`;
}

describe('a secret key with a password', () => {
  /** As minisign encrypts it, with limits that take no second. */
  function encrypted(secretFile: string, password: string): string {
    const bytes = Buffer.from(secretFile.split('\n')[1] ?? '', 'base64');
    bytes.write('Sc', 2, 'latin1');
    bytes.fill(7, 6, 38);
    bytes.writeBigUInt64LE(32_768n, 38);
    bytes.writeBigUInt64LE(16_777_216n, 46);
    const stream = scryptSync(password, bytes.subarray(6, 38), 104, { N: 1024, r: 8, p: 1 });
    stream.forEach((byte, at) => bytes.writeUInt8(bytes.readUInt8(54 + at) ^ byte, 54 + at));
    return `untrusted comment: x\n${bytes.toString('base64')}\n`;
  }

  test('is read with it, and not without or with another', () => {
    const { id, secretFile } = makeKeyFiles();
    const file = encrypted(secretFile, 'größe');
    expect(parseSecretKey(file, 'größe').id).toBe(id);
    expect(() => parseSecretKey(file, null)).toThrow('it is encrypted; its password is missing');
    expect(() => parseSecretKey(file, 'other')).toThrow('it is damaged, or its password is wrong');
  });
});

describe('verify', () => {
  test('says what is in a good package, who signed it, and what an order says of it', async () => {
    const { keys, id, packed } = await signedPackage();
    const required = { TOPE_SIGNATURE: 'required' };
    const { exitCode, stdout, stderr } = await command(required, 'verify', packed.path, '--keys', keys);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    const bytes = await readFile(packed.path);
    const md5 = createHash('md5').update(bytes).digest('hex');
    expect(stdout).toContain(`good: 1.1.0, ${SINGLE_FILES.length} modules, `);
    expect(stdout).toContain(`signed by the key ${id}\n${bytes.length} bytes, md5 ${md5}, sha256 `);
  });

  test('says what a device says to one that it would refuse, on standard error', async () => {
    const { packed } = await signedPackage();
    const unsigned = await pack(await folderToPack(), ...USUAL);
    const intoOwn = { modules: [{ name: 'x', src: 'bin/api', dst: '/opt/tope/updater/program/x' }] };
    const ownFolder = await pack(await folderToPack(intoOwn), ...USUAL);
    const damagedZip = await readFile(packed.path);
    damagedZip.writeUInt8(damagedZip.readUInt8(40) ^ 1, 40);
    await writeFile(`${packed.path}.damaged`, damagedZip);
    const none = await temporaryFolder();
    for (const [environment, args, words] of [
      [{}, [packed.path, '--keys', none], /^SIGNATURE_INVALID: the key [0-9A-F]{16} is not among the keys/],
      [{ TOPE_SIGNATURE: 'required' }, [unsigned.path], /^SIGNATURE_INVALID: the package is not signed/],
      [{ TOPE_SIGNATURE: 'off' }, [`${packed.path}.damaged`], /^INVALID_PACKAGE: /],
      [{ TOPE_MANAGED_ROOT: '/srv' }, [unsigned.path], /^INVALID_MANIFEST: modules\[0\]\.dst/],
      [{}, [ownFolder.path], /^INVALID_MANIFEST: modules\[0\]\.dst .*own folder \/opt\/tope\/updater/],
      [
        { TOPE_WORK_DIR: '/opt/tope/web' },
        [unsigned.path],
        /^INVALID_MANIFEST: .*own folder \/opt\/tope\/web/,
      ],
      [{}, [join(none, 'none.zip')], /ENOENT.*none\.zip/],
    ] as const) {
      const { exitCode, stdout, stderr } = await command(environment, 'verify', ...args);
      expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
      expect(stderr).toMatch(words);
    }
  });

  test('says what is only worth a warning, and takes an unsigned package where that is allowed', async () => {
    const unsigned = await pack(await folderToPack(), ...USUAL);
    const { exitCode, stderr } = await command({}, 'verify', unsigned.path);
    expect([exitCode, stderr]).toEqual([0, 'warning: The package is not signed\n']);
  });
});

test('a proxy that package servers could not be asked through is no matter of commands that ask none', async () => {
  const proxies = { HTTPS_PROXY: 'socks5://127.0.0.1:1', http_proxy: 'nonsense' };
  const { path } = await pack(await folderToPack(), ...USUAL);
  expect(await command(proxies, 'verify', path)).toMatchObject({ exitCode: 0 });
  expect(await command(proxies, 'status', '--updater', 'http://127.0.0.1:1')).toMatchObject({ exitCode: 1 });
  for (const judge of ['serve', 'doctor'])
    expect(await command(proxies, judge)).toMatchObject({
      exitCode: 78,
      stderr: expect.stringContaining(
        'HTTPS_PROXY is "socks5://127.0.0.1:1": expected the http URL of a proxy',
      ),
    });
});

describeIf(MINISIGN, 'Debian’s minisign', () => {
  test('takes keys of keygen and signatures of pack, and makes signatures with such a key', async () => {
    const { keys, secret, open, id } = await signedPackage();
    const manifest = Buffer.from('{"version":"1.1.0"}\n');
    await writeFile(join(keys, 'manifest.json'), manifest);
    const key = parseSecretKey(await readFile(secret, 'utf8'), null);
    await writeFile(join(keys, 'manifest.json.minisig'), signManifest(key, manifest, 'version:1.1.0'));
    expect(minisign(keys, '-V', '-p', open, '-m', 'manifest.json')).toContain(
      'Trusted comment: version:1.1.0',
    );
    minisign(keys, '-S', '-s', secret, '-m', 'manifest.json', '-t', 'by minisign');
    const signature = parseSignature(await readFile(join(keys, 'manifest.json.minisig')));
    expect(signature).toMatchObject({ keyId: id, trustedComment: Buffer.from('by minisign') });
    expect(isSignedBy(parsePublicKey(await readFile(open)), signature, manifest)).toBe(true);
  });

  test('makes a key that pack signs with and that a device then believes', async () => {
    const keys = await temporaryFolder();
    minisign(keys, '-G', '-W', '-p', 'stock.pub', '-s', 'stock.key');
    const { path } = await pack(
      await folderToPack({ modules: SINGLE_FILES }),
      ...USUAL,
      '--sign',
      join(keys, 'stock.key'),
    );
    const { exitCode, stdout } = await command(
      { TOPE_SIGNATURE: 'required' },
      'verify',
      path,
      '--keys',
      keys,
    );
    expect(exitCode).toBe(0);
    expect(stdout).toContain(parsePublicKey(await readFile(join(keys, 'stock.pub'))).id);
  });
});
