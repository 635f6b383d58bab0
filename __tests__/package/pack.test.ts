import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, mkdir, readdir, readFile, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { packCommand, packFolder } from '../../scripts/pack.js';
import { hashPackage } from '../../services/package/verify-digest.js';
import { inspectPackage } from '../../services/package/inspect-package.js';
import { watchSteps } from '../../services/steps.js';
import { EXPECTATIONS, errorOf } from '../support/sample-package.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const FILES: Record<string, { contents: string | Buffer; mode: number }> = {
  'bin/api': { contents: Buffer.concat([Buffer.from('\x7fELF'), Buffer.alloc(300_000, 7)]), mode: 0o755 },
  'etc/api.json': { contents: '{}', mode: 0o640 },
  'web/index.html': { contents: '<p>', mode: 0o644 },
  'web/js/größe.js': { contents: 'x()', mode: 0o644 },
  'web/empty': { contents: '', mode: 0o600 },
  'not-named': { contents: 'stays out', mode: 0o644 },
};
const MODULES = [
  {
    name: 'api',
    src: 'bin/api',
    dst: '/opt/tope/api/api',
    process_name: 'api',
    restart_order: 1,
    future: [1],
  },
  { name: 'config', src: 'etc/api.json', dst: '/opt/tope/api/api.json' },
  { name: 'web', src: 'web/', dst: '/opt/tope/web' },
];

async function folderToPack(manifest: unknown = { modules: MODULES }): Promise<string> {
  const folder = await temporaryFolder();
  for (const [name, { contents, mode }] of Object.entries(FILES)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), contents);
    await chmod(join(folder, name), mode);
  }
  if (manifest !== null) await writeFile(join(folder, 'manifest.json'), JSON.stringify(manifest));
  return folder;
}

/** Runs the command; `$DIR` and `$OUT` stand for the folder and the package. */
async function pack(dir: string, ...args: string[]) {
  const said = { out: '', err: '' };
  const path = join(await temporaryFolder(), 'p.zip');
  const exitCode = await packCommand(
    args.map((arg) => arg.replace('$DIR', dir).replace('$OUT', path)),
    { out: (text) => (said.out += text), err: (text) => (said.err += text) },
  );
  return { exitCode, path, ...said };
}

const USUAL = ['$DIR', '--version', '1.1.0', '-o', '$OUT'];

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
    python: (path, into) =>
      execFileSync('python3', [
        '-c',
        'import sys, os, zipfile\nz = zipfile.ZipFile(sys.argv[1])\nassert z.testzip() is None\nfor i in z.infolist():\n  os.chmod(z.extract(i, sys.argv[2]), (i.external_attr >> 16) & 0o7777)',
        ...[path, into],
      ]),
  };
  test.each(Object.entries(UNPACKERS))(
    'makes what %s unpacks with the same bytes and modes',
    async (_, unpack) => {
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
    const zone = process.env['TZ'];
    process.env['TZ'] = 'Pacific/Kiritimati';
    const other = await pack(second, ...USUAL).finally(() => {
      if (zone === undefined) delete process.env['TZ'];
      else process.env['TZ'] = zone;
    });
    expect((await readFile(one.path)).equals(await readFile(other.path))).toBe(true);
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

describe('pack fails with exit code 1 and names the mistake:', () => {
  const MISTAKES: Record<string, unknown> = {
    'there is no file bin/gone in $DIR': { modules: [{ name: 'a', src: 'bin/gone', dst: '/opt/tope/a' }] },
    'there is no folder gone/ in $DIR': { modules: [{ name: 'a', src: 'gone/', dst: '/opt/tope/a' }] },
    'bin is not a regular file': { modules: [{ name: 'a', src: 'bin', dst: '/opt/tope/a' }] },
    'src ./bin/api must be written as bin/api': {
      modules: [{ name: 'a', src: './bin/api', dst: '/opt/tope/a' }],
    },
    'INVALID_MANIFEST: modules[0].dst is "opt/a": it must be absolute': {
      modules: [{ name: 'a', src: 'bin/api', dst: 'opt/a' }],
    },
    'INVALID_MANIFEST: modules[0].src is "../x": it must not hold ".."': {
      modules: [{ name: 'a', src: '../x', dst: '/opt/tope/a' }],
    },
    'INVALID_MANIFEST: modules[0].src is missing; modules[0].dst is missing': { modules: [{ name: 'a' }] },
    'INVALID_MANIFEST: module "b" writes "/opt/tope/a", which "a" writes': {
      modules: [
        { name: 'a', src: 'bin/api', dst: '/opt/tope/a' },
        { name: 'b', src: 'web/empty', dst: '/opt/tope/a' },
      ],
    },
    'manifest.json cannot be a module': {
      modules: [{ name: 'a', src: 'manifest.json', dst: '/opt/tope/a' }],
    },
    'version is "1.0.0", ordered was "1.1.0"': { version: '1.0.0', modules: MODULES },
    'modules[0].sha256 is abab': {
      modules: [{ name: 'a', src: 'bin/api', dst: '/opt/tope/a', sha256: 'ab'.repeat(32) }],
    },
    'manifest.json must hold a JSON object': [1],
  };
  test.each(Object.entries(MISTAKES))('%s', async (words, manifest) => {
    const folder = await folderToPack(manifest);
    const { exitCode, out, err, path } = await pack(folder, ...USUAL);
    expect([exitCode, out]).toEqual([1, '']);
    expect(err).toContain(words.replace('$DIR', folder));
    expect(await errorOf(stat(path))).toMatchObject({ message: expect.stringContaining('ENOENT') });
  });

  test('no manifest', async () => {
    const { exitCode, err } = await pack(await folderToPack(null), ...USUAL);
    expect([exitCode, err]).toEqual([1, expect.stringContaining('there is no manifest ')]);
  });

  test('a manifest that is not JSON', async () => {
    const folder = await folderToPack();
    await writeFile(join(folder, 'manifest.json'), '{');
    expect((await pack(folder, ...USUAL)).err).toContain('manifest.json is not JSON');
  });

  test('a symlink in a folder, an odd name, and the package among its own files', async () => {
    const folder = await folderToPack({ modules: MODULES.slice(2) });
    await symlink('/etc/passwd', join(folder, 'web/link'));
    expect((await pack(folder, ...USUAL)).err).toContain('web/link is not a regular file');
    const odd = await folderToPack({ modules: MODULES.slice(2) });
    await writeFile(join(odd, 'web/a\\b'), '');
    expect((await pack(odd, ...USUAL)).err).toContain('its name holds a backslash');
    const own = await folderToPack({ modules: MODULES.slice(2) });
    const args = [own, '--version', '1.1.0', '-o', join(own, 'web/empty')];
    expect((await pack(own, ...args)).err).toContain('web/empty is the package that is being written');
  });

  test('a place that cannot be written', async () => {
    const { exitCode, err } = await pack(
      await folderToPack(),
      '$DIR',
      '--version',
      '1.1.0',
      '-o',
      '/nonexistent/p',
    );
    expect([exitCode, err]).toEqual([1, expect.stringContaining('/nonexistent/')]);
  });
});

describe('pack ends with exit code 2 and names what of its command line makes no sense:', () => {
  const SENSELESS: Record<string, string[]> = {
    'DIR is missing': [],
    '--version is missing': ['$DIR', '-o', '$OUT'],
    '-o FILE is missing': ['$DIR', '--version', '1.1.0'],
    '--version is 1.1; it must be of the form 1.2.3': ['$DIR', '--version', '1.1', '-o', '$OUT'],
    '--version is 01.1.0; it must be of the form 1.2.3': ['$DIR', '--version', '01.1.0', '-o', '$OUT'],
    'one DIR is enough; what is other?': [...USUAL, 'other'],
    "Unknown option '--sign'": [...USUAL, '--sign', 'x'],
    '--manifest and --module exclude each other': [...USUAL, '--manifest', 'm', '--module', 'name=a'],
    'dst is missing': [...USUAL, '--module', 'name=a,src=b'],
    'colour=red must be KEY=VALUE, with name, src, dst, process, order, mode': [
      ...USUAL,
      '--module',
      'colour=red',
    ],
    'name must be KEY=VALUE': [...USUAL, '--module', 'name'],
    'name stands there twice': [...USUAL, '--module', 'name=a,name=b'],
    'order is first; it must be an integer': [...USUAL, '--module', 'name=a,src=b,dst=/c,order=first'],
  };
  test.each(Object.entries(SENSELESS))('%s', async (words, args) => {
    const { exitCode, out, err } = await pack(await temporaryFolder(), ...args);
    expect([exitCode, out]).toEqual([2, '']);
    expect(err).toContain(words);
  });

  test('but --help is no mistake', async () => {
    const { exitCode, out, err } = await pack('', '--help');
    expect([exitCode, err]).toEqual([0, '']);
    expect(out).toContain('Usage: tope-updater pack DIR');
  });
});
