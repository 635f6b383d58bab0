import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { BuiltPackage } from '../support/build-package.js';
import { Device } from '../support/device.js';
import { readTree } from '../support/file-tree.js';
import { accepted } from '../support/updater-caller.js';

let device: Device;

beforeAll(async () => {
  device = await Device.on({ life: 'file' });
  device.put('app/app', 'as found', 0o755);
});

function build(version: string): BuiltPackage {
  const brings = { bytes: `program ${version} ${'x'.repeat(5000)}`, mode: 0o755 };
  return device.build({ version, modules: [{ name: 'app', dst: device.path('app/app'), brings }] });
}

/** One byte of the module is another, its time is as before. */
function change(path: string): void {
  const { atime, mtime } = statSync(path);
  const bytes = readFileSync(path);
  const at = bytes.indexOf('xxxx') + 100;
  bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
  writeFileSync(path, bytes);
  utimesSync(path, atime, mtime);
}

describe('a package that is ready is looked at again before it is installed', () => {
  test.each<[string, RegExp, (path: string) => void]>([
    ['changed, with size and time as before', /^MD5_MISMATCH: /, change],
    [
      'replaced by another package',
      /^(MD5|PACKAGE_SIZE)_MISMATCH: /,
      (path) => copyFileSync(build('9.9.99').path, path),
    ],
    ['cut short', /^PACKAGE_SIZE_MISMATCH: /, (path) => truncateSync(path, 1000)],
    ['made empty', /^PACKAGE_SIZE_MISMATCH: /, (path) => truncateSync(path, 0)],
    [
      'replaced by a symlink to the very same bytes',
      /^(INVALID_PACKAGE|PACKAGE_SIZE_MISMATCH): /,
      (path) => {
        renameSync(path, join(device.folder, 'moved.zip'));
        symlinkSync(join(device.folder, 'moved.zip'), path);
      },
    ],
    ['removed', /^INCOMPLETE_DOWNLOAD: /, (path) => rmSync(path)],
  ])('one that was %s is refused [W-44, D-103]', async (what, error, tamper) => {
    const built = build(`2.0.${what.length}`);
    await device.fetch(built);
    const before = await readTree(device.root);
    const path = join(device.workDir, 'tmp', `${built.md5}-${built.size}.zip`);
    expect(createHash('md5').update(readFileSync(path)).digest('hex')).toBe(built.md5);
    tamper(path);
    const from = device.api.heard.length;
    accepted(await device.update(built.version));
    await device.api.hearsStage('failed', { from });
    expect((await device.progress()).error).toMatch(error);
    await device.isTidy();
    expect(existsSync(path)).toBe(false);
    expect(await readTree(device.root)).toEqual(before);
  });
});
