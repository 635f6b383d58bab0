import { chmodSync, chownSync, existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { Device } from '../support/device.js';
import { factsOf, readTree } from '../support/file-tree.js';
import { ROOT, testIf } from '../support/requirements.js';

describe('a module', () => {
  let device: Device;
  beforeAll(async () => {
    device = await Device.on({ life: 'file' });
  });

  test('that is a folder removes what it no longer brings, but nothing that no package brought [D-5]', async () => {
    device.put('web/theirs.txt', 'theirs');
    const bring = (version: string, ...names: string[]) =>
      device.install(
        device.build({
          version,
          modules: [
            {
              name: 'web',
              dst: device.path('web'),
              brings: new Map(names.map((name) => [name, { bytes: `${name} ${version}` }])),
            },
          ],
        }),
      );
    await bring('1.0.0', 'index.html', 'js/old.js', 'js/kept.js');
    await bring('1.1.0', 'index.html', 'js/kept.js', 'css/new.css');
    const names = (await treeNames(device, 'web')).sort();
    expect(names).toEqual(['web/css/new.css', 'web/index.html', 'web/js/kept.js', 'web/theirs.txt']);
    expect(device.read('web/js/kept.js')).toBe('js/kept.js 1.1.0');
    expect(await factsOf(device.path('web/css'))).toMatchObject({ kind: 'folder', mode: 0o755 });
  });

  test('can name files to be removed, which going back brings again [P-22]', async () => {
    device.put('old/leftover', 'of long ago', 0o640);
    await device.install(
      device.build({
        version: '1.2.0',
        modules: [
          {
            name: 'app',
            dst: device.path('old/app'),
            brings: { bytes: 'app' },
            also: { remove: [device.path('old/leftover')] },
          },
        ],
      }),
    );
    expect(existsSync(device.path('old/leftover'))).toBe(false);
    await device.goBack('previous');
    expect(device.read('old/leftover')).toBe('of long ago');
    expect(await factsOf(device.path('old/leftover'))).toMatchObject({ mode: 0o640 });
    expect(existsSync(device.path('old/app'))).toBe(false);
  });

  test('gets the mode of the manifest, else of the ZIP, and never a set-id bit [P-20]', async () => {
    await device.install(
      device.build({
        version: '1.3.0',
        modules: [
          {
            name: 'a',
            dst: device.path('modes/a'),
            brings: { bytes: 'a', mode: 0o600 },
            also: { mode: '0750' },
          },
          { name: 'b', dst: device.path('modes/b'), brings: { bytes: 'b', mode: 0o711 } },
          { name: 'c', dst: device.path('modes/c'), brings: { bytes: 'c', mode: 0o4755 } },
        ],
      }),
    );
    const modes = ['a', 'b', 'c'].map(async (name) => (await factsOf(device.path(`modes/${name}`))).mode);
    expect(await Promise.all(modes)).toEqual([0o750, 0o711, 0o755]);
  });

  testIf(
    ROOT,
    'takes the owner of the file that it replaces; going back restores owner and full mode [D-30]',
    async () => {
      const path = device.put('owned/app', 'found');
      chownSync(path, 1234, 4321);
      chmodSync(path, 0o6755);
      const found = await factsOf(path);
      await device.install(
        device.build({
          version: '1.4.0',
          modules: [{ name: 'app', dst: path, brings: { bytes: 'new', mode: 0o755 } }],
        }),
      );
      expect(await factsOf(path)).toMatchObject({ uid: 1234, gid: 4321, mode: 0o755 });
      await device.goBack('previous');
      const { kind, uid, gid, mode, content } = found;
      expect(await factsOf(path)).toMatchObject({ kind, uid, gid, mode, content });
    },
  );

  test('keeps no attributes where their programs are not installed, with one warning [D-33]', async () => {
    const bare = await Device.on({ environment: { PATH: '/nonexistent' } });
    for (const name of ['a', 'b']) bare.put(name, 'found');
    const modules = ['a', 'b'].map((name) => ({ name, dst: bare.path(name), brings: { bytes: 'new' } }));
    await bare.install(bare.build({ version: '1.0.0', modules }));
    expect(bare.read('a')).toBe('new');
    await bare.logs(/ WARN .*getfattr and setfattr are not installed/);
    expect(bare.log().match(/getfattr and setfattr/g)).toHaveLength(1);
  });

  test('whose path leads through a symlink inside the root replaces the real file and leaves the symlink', async () => {
    mkdirSync(device.path('versions/7'), { recursive: true });
    device.put('versions/7/app', 'seven');
    symlinkSync('7', device.path('versions/current'));
    await device.install(
      device.build({
        version: '1.5.0',
        modules: [{ name: 'app', dst: device.path('versions/current/app'), brings: { bytes: 'new' } }],
      }),
    );
    expect(device.read('versions/7/app')).toBe('new');
    expect(await factsOf(device.path('versions/current'))).toMatchObject({ kind: 'symlink', content: '7' });
  });
});

async function treeNames(device: Device, folder: string): Promise<string[]> {
  const tree = await readTree(device.root);
  return Object.keys(tree).filter((name) => name.startsWith(`${folder}/`) && tree[name]?.kind === 'file');
}
