import { stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { folderToPack, MODULES, pack, USUAL } from '../support/folder-to-pack.js';
import { errorOf } from '../support/sample-package.js';
import { temporaryFolder } from '../support/temporary-folder.js';

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
    "Unknown option '--seal'": [...USUAL, '--seal', 'x'],
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
