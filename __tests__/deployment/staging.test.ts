import { execFileSync } from 'node:child_process';
import { link, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { CAUSE, DeploymentBench } from '../support/deployment-bench.js';
import { sha256 } from '../support/file-tree.js';
import { pathsSyncedBy } from '../support/synced-paths.js';
import { errorOf } from '../support/sample-package.js';

let bench: DeploymentBench;
const at = (name: string) => join(bench.root, name);
const text = (path: string) => readFile(path, 'utf8');
const goBack = () => bench.effects.goBack({ cause: CAUSE }, bench.signal);

beforeEach(async () => {
  bench = await DeploymentBench.make();
});

describe('staging', () => {
  test('holds the old file by its inode, writes the new one into its own, and touches neither [D-41, D-42]', async () => {
    await bench.put(at('a'), 'old');
    const before = await stat(at('a'));
    await bench.stage(await bench.package('1.0.0', { [at('a')]: 'new' }));
    const held = await stat(join(bench.store.staging, 'old/0'));
    const fresh = await stat(join(bench.store.staging, 'new/0'));
    expect([held.ino, held.nlink, fresh.nlink]).toEqual([before.ino, 2, 1]);
    expect(await text(at('a'))).toBe('old');
    expect(await text(join(bench.store.staging, 'new/0'))).toBe('new');
    expect(bench.services.asked).toEqual([]);
  });

  test('begins in a folder that is durable in the store before anything is put into it', async () => {
    const update = await bench.package('1.0.0', { [at('a')]: 'new' });
    const synced = await pathsSyncedBy(() => bench.stage(update));
    const { root, staging } = bench.store;
    expect(synced[0]).toBe(root);
    expect(synced.filter((path) => path.startsWith(staging)).length).toBeGreaterThan(0);
  });

  test('holds a file that has other names as a copy, so that writing to those never changes what is held [D-42]', async () => {
    await bench.put(at('a'), 'old', { mode: 0o640 });
    await link(at('a'), at('b'));
    await bench.deploy(await bench.package('1.0.0', { [at('a')]: 'new' }));
    await writeFile(at('b'), 'written to');
    await bench.deploy('as-found');
    expect(await text(at('a'))).toBe('old');
    expect((await stat(at('a'))).mode & 0o7777).toBe(0o640);
    expect(await bench.faults()).toEqual([]);
  });

  test('does not inflate what the list already says, where the manifest tells its digest', async () => {
    const module = { data: 'same', fields: { sha256: sha256('same') } };
    await bench.deploy(await bench.package('1.0.0', { [at('a')]: module }));
    const { ino } = await stat(at('a'));
    // Were it inflated, this would be a SHA256_MISMATCH.
    const lazy = { data: 'Same', fields: { sha256: sha256('same') } };
    await bench.deploy(await bench.package('1.1.0', { [at('a')]: lazy, [at('b')]: 'b' }));
    expect((await stat(at('a'))).ino).toBe(ino);
  });

  test('leaves a file that is what the package brings the very same inode, also where no digest is told [D-12]', async () => {
    await bench.deploy(await bench.package('1.0.0', { [at('a')]: 'same', [at('b')]: '1' }));
    const { ino } = await stat(at('a'));
    await bench.deploy(await bench.package('1.1.0', { [at('a')]: 'same', [at('b')]: '2' }));
    expect((await stat(at('a'))).ino).toBe(ino);
  });

  test.each([
    ['a folder', (path: string) => mkdir(path), 'is a folder, a regular file was expected'],
    ['a FIFO', (path: string) => execFileSync('mkfifo', [path]), 'is a FIFO, a regular file was expected'],
    [
      'a socket',
      (path: string) =>
        new Promise<void>((resolve) => {
          const server = createServer().listen(path, () => {
            server.unref();
            resolve();
          });
        }),
      'is a socket, a regular file was expected',
    ],
    ['a dangling symlink', (path: string) => symlink('/nowhere/at/all', path), 'is dangling'],
    ['a symlink in a ring', (path: string) => symlink(path, path), 'is dangling'],
    ['a symlink out of its root', (path: string) => symlink('/etc/hostname', path), 'outside its root'],
    [
      'a symlink into the store',
      (path: string) => symlink(join(bench.root, '.tope-updater/releases'), path),
      "inside the updater's own",
    ],
  ])('refuses %s at the target by name, with nothing touched [P-13, D-24, D-27]', async (_, make, words) => {
    await bench.put(at('first'), 'first');
    await mkdir(at('app'));
    await make(at('app/x'));
    const before = await bench.tree();
    const error = await errorOf(
      bench.stage(await bench.package('1.0.0', { [at('first')]: 'new', [at('app/x')]: 'x' })),
    );
    expect(error.code).toBe('DEPLOYMENT_FAILED');
    expect(error.message).toContain(words);
    expect(error.message).toContain(at('app/x'));
    expect(await bench.tree()).toEqual(before);
  });

  test('refuses a file where a folder is wanted [D-24]', async () => {
    await bench.put(at('app'), 'a file');
    const error = await errorOf(bench.stage(await bench.package('1.0.0', { [at('app/x/y')]: 'x' })));
    expect(error.line).toBe(`DEPLOYMENT_FAILED: ${at('app')} is a file, a folder was expected`);
  });

  test('refuses a folder on the way that leads out of the root [P-13]', async () => {
    await symlink(bench.extra, at('app'));
    const error = await errorOf(bench.stage(await bench.package('1.0.0', { [at('app/x')]: 'x' })));
    expect(error.message).toContain('outside its root');
  });

  test('refuses two modules that lead to one real path [D-26]', async () => {
    await mkdir(at('v1'));
    await symlink('v1', at('current'));
    const error = await errorOf(
      bench.stage(await bench.package('1.0.0', { [at('v1/x')]: '1', [at('current/x')]: '2' })),
    );
    expect(error.line).toBe(
      `DEPLOYMENT_FAILED: ${at('current/x')} and ${at('v1/x')} both lead to ${at('v1/x')}`,
    );
  });

  test('refuses a content that is not what the manifest says, with nothing touched [P-19]', async () => {
    await bench.put(at('a'), 'old');
    const before = await bench.tree();
    const bad = { data: 'new', fields: { sha256: sha256('other') } };
    expect((await errorOf(bench.stage(await bench.package('1.0.0', { [at('a')]: bad })))).code).toBe(
      'SHA256_MISMATCH',
    );
    const crc = { data: 'new', entry: { local: { crc: 1 }, central: { crc: 1 } } };
    expect((await errorOf(bench.stage(await bench.package('1.0.0', { [at('a')]: crc })))).code).toBe(
      'INVALID_PACKAGE',
    );
    expect(await bench.tree()).toEqual(before);
  });

  test('empties what an earlier one left [M-45]', async () => {
    await bench.stage(await bench.package('1.0.0', { [at('a')]: 'a', [at('b')]: 'b' }));
    await bench.stage(await bench.package('1.0.0', { [at('a')]: 'a' }));
    expect(await readdir(join(bench.store.staging, 'new'))).toEqual(['0']);
  });

  test('writes nothing to the kept contents, nor does the switch: the commit does [D-107]', async () => {
    await bench.put(at('a'), 'old');
    await bench.stop(await bench.package('1.0.0', { [at('a')]: 'new' }));
    await bench.effects.switchFiles();
    expect(await bench.store.objectNames()).toEqual([]);
    await bench.effects.commitRelease();
    expect(await bench.store.objectNames()).toEqual([sha256('old')]);
  });

  test('is refused while a deployment is not undone', async () => {
    await bench.stop(await bench.package('1.0.0', { [at('a')]: 'a' }));
    await bench.effects.switchFiles();
    const error = await errorOf(bench.stage(await bench.package('1.1.0', { [at('a')]: 'b' })));
    expect(error.message).toBe(
      'the deployment of 1.0.0 was cut while switched and not undone yet: restart the device',
    );
    await goBack();
    expect(await bench.tree()).toEqual({});
  });
});
