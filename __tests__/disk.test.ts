import { constants } from 'node:fs';
import { link, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import * as disk from '../services/disk.js';
import { watchSteps } from '../services/steps.js';
import { Cut, cutAt } from './support/cut.js';
import { ROOT, testIf } from './support/requirements.js';
import { pathsSyncedBy } from './support/synced-paths.js';
import { temporaryFolder } from './support/temporary-folder.js';

let folder: string;
const at = (name: string) => join(folder, name);

beforeEach(async () => {
  folder = await temporaryFolder();
});

describe('a durable write', () => {
  test('leaves the new contents with exactly the mode, and nothing beside', async () => {
    await disk.writeDurably('state.save', at('file'), 'old', 0o600);
    await disk.writeDurably('state.save', at('file'), 'new', 0o666);
    expect(await readFile(at('file'), 'utf8')).toBe('new');
    expect((await stat(at('file'))).mode & 0o7777).toBe(0o666);
    expect(await readdir(folder)).toEqual(['file']);
  });

  test('leaves wholly the old or wholly the new contents wherever it is cut [M-16]', async () => {
    await writeFile(at('file'), 'old');
    const seen = new Map<string, string>();
    for (let n = 0; ; n++) {
      const { wasCut, moment } = await cutAt(n, () => disk.writeDurably('state.save', at('file'), 'new'));
      seen.set(moment, await readFile(at('file'), 'utf8'));
      await writeFile(at('file'), 'old');
      if (!wasCut) break;
    }
    expect([...seen]).toEqual([
      ['state.save before', 'old'],
      ['state.save written', 'old'],
      ['state.save renamed', 'new'],
      ['', 'new'],
    ]);
  });

  test('is synced before its rename, and its folder after that [M-16]', async () => {
    const write = () => disk.writeDurably('state.save', at('file'), 'new');
    const whole = await pathsSyncedBy(write);
    expect(whole).toEqual([expect.stringMatching(/\/\.file\.tmp$/), folder]);
    // The moment behind the rename is the third one.
    expect(await pathsSyncedBy(() => cutAt(2, write))).toEqual(whole.slice(0, 1));
  });

  test('goes over what a cut one left', async () => {
    await cutAt(1, () => disk.writeDurably('state.save', at('file'), 'cut'));
    await disk.writeDurably('state.save', at('file'), 'whole');
    expect(await readdir(folder)).toEqual(['file']);
  });

  test('that fails leaves the old file, and nothing beside', async () => {
    await mkdir(at('file'));
    await expect(disk.writeDurably('state.save', at('file'), 'new')).rejects.toThrow('EISDIR');
    expect(await readdir(folder)).toEqual(['file']);
  });

  test('does not follow a symlink: it replaces it', async () => {
    await writeFile(at('target'), 'mine');
    await symlink('target', at('file'));
    await disk.writeDurably('state.save', at('file'), 'new');
    expect(await readFile(at('target'), 'utf8')).toBe('mine');
  });
});

describe('steps of the disk', () => {
  test('each tell that they begin and that they are done, and act in between', async () => {
    const told: string[] = [];
    watchSteps((name, moment) => told.push(`${name} ${moment}`));
    await writeFile(at('a'), 'a');
    await disk.linkFile('staging.link', at('a'), at('b'));
    await disk.renameFile('switch.rename', at('b'), at('c'));
    await disk.removeFile('switch.unlink', at('c'));
    await disk.syncFolder('switch.sync', folder);
    watchSteps(null);
    expect(told).toEqual(
      ['staging.link', 'switch.rename', 'switch.unlink', 'switch.sync'].flatMap((name) => [
        `${name} before`,
        `${name} after`,
      ]),
    );
    expect(await readdir(folder)).toEqual(['a']);
  });

  test('do nothing where they are cut before', async () => {
    await writeFile(at('a'), 'a');
    const { moment } = await cutAt(0, () => disk.removeFile('switch.unlink', at('a')));
    expect(moment).toBe('switch.unlink before');
    expect(await readdir(folder)).toEqual(['a']);
    expect(new Cut('x')).toBeInstanceOf(Error);
  });
});

describe('removing', () => {
  test('what is gone already is as good', async () => {
    await disk.removeFile('switch.unlink', at('nothing'));
    await disk.removeTree('staging.remove', at('nothing'));
    expect(await disk.removeEmptyFolder('switch.folder', at('nothing'))).toBe(false);
  });

  test('takes a folder away only where it is empty', async () => {
    await mkdir(at('full/inside'), { recursive: true });
    expect(await disk.removeEmptyFolder('switch.folder', at('full'))).toBe(false);
    expect(await disk.removeEmptyFolder('switch.folder', at('full/inside'))).toBe(true);
    expect(await disk.removeEmptyFolder('switch.folder', at('full'))).toBe(true);
  });

  test('does not take a folder for a file', async () => {
    await mkdir(at('folder'));
    await expect(disk.removeFile('switch.unlink', at('folder'))).rejects.toThrow(/EISDIR|EPERM/);
  });
});

describe('folders', () => {
  test('are made with exactly the mode, whatever the umask, and told', async () => {
    const before = process.umask(0o077);
    try {
      expect(await disk.makeFolders('undo.folder', at('a/b'), 0o755)).toEqual([at('a'), at('a/b')]);
    } finally {
      process.umask(before);
    }
    expect((await stat(at('a/b'))).mode & 0o7777).toBe(0o755);
    expect(await disk.makeFolders('undo.folder', at('a/b'), 0o700)).toEqual([]);
    expect((await stat(at('a/b'))).mode & 0o7777).toBe(0o755);
  });

  test('are told to be new only when they are', async () => {
    expect(await disk.makeFolder('store.make', at('a'), 0o755)).toBe(true);
    expect(await disk.makeFolder('store.make', at('a'), 0o755)).toBe(false);
  });

  test('are not made where a file stands', async () => {
    await writeFile(at('a'), '');
    await expect(disk.makeFolder('switch.folder', at('a'), 0o755)).rejects.toThrow('EEXIST');
  });
});

describe('files', () => {
  test('are opened neither through a symlink nor waiting for the other end of a FIFO', async () => {
    await writeFile(at('file'), 'x');
    await symlink('file', at('link'));
    await expect(disk.openForReading(at('link'))).rejects.toThrow('ELOOP');
    await expect(disk.openForWriting('partial.open', at('link'), constants.O_WRONLY, 0o600)).rejects.toThrow(
      'ELOOP',
    );
  });

  test('are copied into inodes of their own, and over nothing', async () => {
    await writeFile(at('a'), 'a');
    await disk.copyToNewFile('staging.copy', at('a'), at('b'));
    expect((await stat(at('b'))).ino).not.toBe((await stat(at('a'))).ino);
    await expect(disk.copyToNewFile('staging.copy', at('a'), at('b'))).rejects.toThrow('EEXIST');
  });

  test('are overwritten in place: same inode, same size, only the pieces', async () => {
    await writeFile(at('a'), '0123456789');
    await link(at('a'), at('same'));
    await disk.writeInPlace('journal.mark', at('a'), [
      { bytes: Buffer.from('AB'), at: 2 },
      { bytes: Buffer.from('Z'), at: 9 },
    ]);
    expect(await readFile(at('same'), 'utf8')).toBe('01AB45678Z');
  });

  testIf(ROOT, 'get their owner before their mode, so that set-id bits stay', async () => {
    await writeFile(at('a'), '');
    const file = await disk.openForReading(at('a'));
    await disk.setOwnerAndMode('staging.attributes', file, { uid: 1234, gid: 4321, mode: 0o6755 });
    await file.close();
    const { uid, gid, mode } = await stat(at('a'));
    expect([uid, gid, mode & 0o7777]).toEqual([1234, 4321, 0o6755]);
  });
});

describe('looking', () => {
  test('sees what is there, a symlink as one, and nothing below a file', async () => {
    await symlink('nowhere', at('link'));
    await writeFile(at('file'), 'text');
    expect((await disk.look(at('link')))?.isSymbolicLink()).toBe(true);
    expect(await disk.look(at('file/below'))).toBeNull();
    expect(await disk.look(at('nothing'))).toBeNull();
    expect(await disk.readText(at('file'))).toBe('text');
    expect(await disk.readText(at('nothing'))).toBeNull();
  });

  test('tells system errors from others', async () => {
    const error: unknown = await readFile(at('nothing')).catch((thrown: unknown) => thrown);
    expect(disk.isSystemError(error)).toBe(true);
    expect(disk.isSystemError(error, 'EACCES', 'ENOENT')).toBe(true);
    expect(disk.isSystemError(error, 'EACCES')).toBe(false);
    expect(disk.isSystemError(new Error('ENOENT'))).toBe(false);
    expect(disk.isSystemError(Object.assign(new Error('x'), { code: 'ERR_ASSERTION' }))).toBe(false);
  });
});
