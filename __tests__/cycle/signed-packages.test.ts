import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { packFolder } from '../../scripts/pack.js';
import { makeKeyFiles, parseSecretKey, type SecretKey } from '../../scripts/pack/minisign-secret.js';
import type { BuiltPackage } from '../support/build-package.js';
import { Device } from '../support/device.js';
import { accepted } from '../support/updater-caller.js';

/** A device of the product x5 that demands signatures. */
let device: Device;
let key: SecretKey;

beforeAll(async () => {
  device = await Device.make({ life: 'file' });
  const { id, secretFile, publicFile } = makeKeyFiles();
  key = parseSecretKey(secretFile, null);
  mkdirSync(join(device.folder, 'keys'));
  writeFileSync(join(device.folder, 'keys', `${id}.pub`), publicFile);
  await device.start(SIGNED());
});

const SIGNED = () => ({
  TOPE_SIGNATURE: 'required',
  TOPE_KEYS_DIR: join(device.folder, 'keys'),
  TOPE_PRODUCT: 'x5',
});

/** A package of `pack`, signed unless that is said otherwise. */
async function build(version: string, fields: object = {}, isSigned = true): Promise<BuiltPackage> {
  const dir = join(device.folder, 'to-pack');
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, 'app'), `program ${version}`);
  const modules = [{ name: 'app', src: 'app', dst: device.path('app') }];
  writeFileSync(join(dir, 'manifest.json'), JSON.stringify({ modules, ...fields }));
  const out = join(device.folder, `${version}-${Math.random().toString(36).slice(2)}.zip`);
  const packed = await packFolder({ dir, version, out, ...(isSigned ? { key } : {}) });
  const { package_name: name, package_size: size, package_md5: md5, package_sha256: sha256 } = packed;
  return { path: out, name, version, size, md5, sha256 };
}

async function refusalOf(built: BuiltPackage): Promise<string> {
  const from = device.api.heard.length;
  accepted(await device.download(built));
  await device.api.hearsStage('failed', { from });
  return (await device.progress()).error ?? '';
}

describe('a device that demands signatures', () => {
  test('installs what pack has signed, and names the key in the history and the log', async () => {
    await device.install(await build('1.1.0', { compatible: ['x4', 'x5'] }));
    expect(device.read('app')).toBe('program 1.1.0');
    expect(JSON.stringify(await device.get('/history'))).toContain(`"signedBy":"${key.id}"`);
    await device.logs(new RegExp(`package inspected.*${key.id}`));
    await device.install(await build('1.2.0'));
  });

  test('refuses an unsigned package, one for another product, and one that needs a later version', async () => {
    expect(await refusalOf(await build('1.3.0', {}, false))).toMatch(/^SIGNATURE_INVALID: .*not signed/);
    expect(await refusalOf(await build('1.3.0', { compatible: ['x4'] }))).toBe(
      'INCOMPATIBLE_DEVICE: the package is for x4; this device is x5',
    );
    expect(await refusalOf(await build('1.3.0', { min_version: '1.2.1' }))).toMatch(
      /^VERSION_NOT_ALLOWED: 1\.3\.0 needs at least 1\.2\.1, installed is 1\.2\.0/,
    );
  });

  test('refuses a downgrade, but no local rollback, nor one that the signed manifest allows [P-26, P-27]', async () => {
    expect(await refusalOf(await build('1.1.0'))).toMatch(
      /^VERSION_NOT_ALLOWED: 1\.1\.0 is lower than 1\.2\.0/,
    );
    await device.goBack('previous');
    expect(device.read('app')).toBe('program 1.1.0');
    await device.install(await build('1.0.0', { allow_downgrade: true }));
    expect(device.read('app')).toBe('program 1.0.0');
  });

  test('permits a downgrade where its configuration does [P-26]', async () => {
    await device.updater.end('SIGTERM');
    await device.start({ ...SIGNED(), TOPE_ALLOW_DOWNGRADE: 'true' });
    await device.install(await build('0.9.0'));
    expect(readFileSync(device.path('app'), 'utf8')).toBe('program 0.9.0');
  });
});
