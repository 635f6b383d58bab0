import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { openPromise } from 'yauzl';
import { packFolder } from '../../scripts/pack.js';
import { hashPackage } from '../../services/package/verify-digest.js';
import { inspectPackage } from '../../services/package/inspect-package.js';
import { watchSteps } from '../../services/steps.js';
import { FILES, folderToPack, MODULES, pack, USUAL } from '../support/folder-to-pack.js';
import { hasProgram, testIf } from '../support/requirements.js';
import { EXPECTATIONS } from '../support/sample-package.js';
import { temporaryFolder } from '../support/temporary-folder.js';

describe('pack', () => {
  test('prints the body of a download order that fits the file', async () => {
    const { exitCode, path, out, err } = await pack(await folderToPack(), ...USUAL);
    expect([exitCode, err]).toEqual([0, '']);
    const bytes = await readFile(path);
    const md5 = createHash('md5').update(bytes).digest('hex');
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    expect(JSON.parse(out)).toEqual({
      version: '1.1.0',
      package_name: 'p.zip',
      package_size: bytes.length,
      package_md5: md5,
      package_sha256: sha256,
    });
    await hashPackage(path, { version: '1.1.0', md5, size: bytes.length }, sha256);
  });

  test('makes a package that the device takes, each single file with its digest and mode', async () => {
    const { path } = await pack(await folderToPack(), ...USUAL);
    const { manifest, files } = await inspectPackage(path, EXPECTATIONS);
    expect(files.map((file) => [file.path, file.mode])).toEqual([
      ['/opt/tope/api/api', 0o755],
      ['/opt/tope/api/api.json', 0o640],
      ['/opt/tope/web/empty', 0o600],
      ['/opt/tope/web/index.html', 0o644],
      ['/opt/tope/web/js/größe.js', 0o644],
    ]);
    const digest = createHash('sha256').update('{}').digest('hex');
    expect(manifest.modules.map(({ sha256, mode }) => [sha256 === null, mode])).toEqual([
      [false, 0o755],
      [false, 0o640],
      [true, null],
    ]);
    expect(manifest.modules[1]?.sha256).toBe(digest);
  });

  const UNPACKERS: Record<string, (path: string, into: string) => void> = {
    unzip: (path, into) =>
      execFileSync('unzip', ['-q', path, '-d', into], { env: { ...process.env, LC_ALL: 'C.UTF-8' } }),
    python3: (path, into) =>
      execFileSync('python3', [
        '-c',
        'import sys, os, zipfile\nz = zipfile.ZipFile(sys.argv[1])\nassert z.testzip() is None\nfor i in z.infolist():\n  os.chmod(z.extract(i, sys.argv[2]), (i.external_attr >> 16) & 0o7777)',
        ...[path, into],
      ]),
  };
  for (const [name, unpack] of Object.entries(UNPACKERS))
    testIf(
      { met: hasProgram(name), needs: `the package ${name}` },
      `makes what ${name} unpacks with the same bytes and modes`,
      async () => {
        const { path } = await pack(await folderToPack(), ...USUAL);
        const into = await temporaryFolder();
        unpack(path, into);
        const names = (await readdir(into, { recursive: true, withFileTypes: true })).filter((each) =>
          each.isFile(),
        );
        expect(names).toHaveLength(Object.keys(FILES).length);
        for (const [name, { contents, mode }] of Object.entries(FILES)) {
          if (name === 'not-named') continue;
          expect((await readFile(join(into, name))).equals(Buffer.from(contents))).toBe(true);
          expect([name, (await stat(join(into, name))).mode & 0o7777]).toEqual([name, mode]);
        }
        const manifest: unknown = JSON.parse(await readFile(join(into, 'manifest.json'), 'utf8'));
        expect(manifest).toMatchObject({
          version: '1.1.0',
          modules: [{ process_name: 'api', future: [1] }, {}, {}],
        });
      },
    );

  test('gives the same bytes for the same input, whenever and wherever it runs', async () => {
    const [first, second] = [await folderToPack(), await folderToPack()];
    for (const name of Object.keys(FILES)) await utimes(join(second, name), 1, 1_000_000_000);
    const one = await pack(first, ...USUAL);
    const names: string[] = [];
    const zone = process.env['TZ'];
    process.env['TZ'] = 'Pacific/Kiritimati';
    const other = await pack(second, ...USUAL).finally(() => {
      if (zone === undefined) delete process.env['TZ'];
      else process.env['TZ'] = zone;
    });
    expect((await readFile(one.path)).equals(await readFile(other.path))).toBe(true);
    const zip = await openPromise(one.path);
    for await (const { lastModFileDate, lastModFileTime, versionMadeBy, fileName } of zip.eachEntry()) {
      names.push(fileName);
      expect([lastModFileDate, lastModFileTime, versionMadeBy]).toEqual([0x21, 0, 0x0314]);
    }
    expect(names).toEqual([
      'manifest.json',
      ...['bin/api', 'etc/api.json', 'web/empty', 'web/index.html', 'web/js/größe.js'],
    ]);
  });

  test('takes modules from flags in place of a manifest', async () => {
    const folder = await folderToPack(null);
    const { exitCode, path } = await pack(
      folder,
      ...USUAL,
      ...['--module', 'name=api,src=bin/api,dst=/opt/tope/api,process=api,order=3,mode=0750'],
      ...['--module', 'name=web,src=web/,dst=/opt/tope/web'],
    );
    expect(exitCode).toBe(0);
    const { manifest, files } = await inspectPackage(path, EXPECTATIONS);
    expect(manifest.modules[0]).toMatchObject({ processName: 'api', restartOrder: 3, mode: 0o750 });
    expect(files).toHaveLength(4);
  });

  test('takes a manifest from elsewhere', async () => {
    const elsewhere = join(await temporaryFolder(), 'other.json');
    await writeFile(elsewhere, JSON.stringify({ version: '1.1.0', modules: MODULES.slice(1, 2) }));
    const { path } = await pack(await folderToPack(null), ...USUAL, '--manifest', elsewhere);
    expect((await inspectPackage(path, EXPECTATIONS)).files).toHaveLength(1);
  });

  test('drops mode bits that no device would set', async () => {
    const folder = await folderToPack();
    await chmod(join(folder, 'bin/api'), 0o4777);
    const { path } = await pack(folder, ...USUAL);
    expect((await inspectPackage(path, EXPECTATIONS)).files[0]?.mode).toBe(0o775);
  });

  test('writes the package durably, as a step of its own', async () => {
    const moments: string[] = [];
    watchSteps((name, moment) => moments.push(`${name} ${moment}`));
    await packFolder({
      dir: await folderToPack(),
      version: '1.1.0',
      out: join(await temporaryFolder(), 'p.zip'),
    }).finally(() => watchSteps(null));
    expect(moments).toEqual(
      ['before', 'written', 'renamed', 'after'].map((moment) => `pack.write ${moment}`),
    );
  });
});
