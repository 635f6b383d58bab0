import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { hashFile } from '../../services/package/hash-file.js';
import { NotARegularFile } from '../../services/package/open-regular-file.js';
import { errorOf } from '../support/sample-package.js';
import { temporaryFolder } from '../support/temporary-folder.js';

describe('hashFile', () => {
  test.each([0, 1, 524_288, 3_000_001])('digests a file of %i bytes and tells its size', async (size) => {
    const path = join(await temporaryFolder(), 'file');
    const bytes = randomBytes(size);
    await writeFile(path, bytes);
    expect(await hashFile(path, ['md5', 'sha256'])).toEqual({
      size,
      md5: createHash('md5').update(bytes).digest('hex'),
      sha256: createHash('sha256').update(bytes).digest('hex'),
    });
  });

  test('computes only what is asked for', async () => {
    const path = join(await temporaryFolder(), 'file');
    await writeFile(path, 'x');
    expect((await hashFile(path, ['md5'])).sha256).toBeNull();
  });

  test('tells how far it is, ending with the size', async () => {
    const path = join(await temporaryFolder(), 'file');
    await writeFile(path, Buffer.alloc(2_000_000));
    const told: number[] = [];
    await hashFile(path, ['md5'], { onProgress: (bytes) => told.push(bytes) });
    expect(told.length).toBeGreaterThan(2);
    expect(told).toEqual([...told].sort((a, b) => a - b));
    expect(told.at(-1)).toBe(2_000_000);
  });

  test('gives others their turn between two reads [T-7]', async () => {
    const path = join(await temporaryFolder(), 'file');
    await writeFile(path, Buffer.alloc(20_000_000));
    let turns = 0;
    let isDone = false;
    const count = (): void => {
      turns += 1;
      if (!isDone) setImmediate(count);
    };
    setImmediate(count);
    await hashFile(path, ['md5', 'sha256']);
    isDone = true;
    expect(turns).toBeGreaterThan(20);
  });

  test('ends with CANCELLED once its signal is given', async () => {
    const path = join(await temporaryFolder(), 'file');
    await writeFile(path, Buffer.alloc(5_000_000));
    const controller = new AbortController();
    const work = hashFile(path, ['md5'], { signal: controller.signal, onProgress: () => controller.abort() });
    expect((await errorOf(work)).code).toBe('CANCELLED');
  });

  test('refuses a symlink, a folder and a FIFO, and does not wait for the FIFO', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'file'), 'x');
    await symlink('file', join(folder, 'link'));
    await mkdir(join(folder, 'folder'));
    execFileSync('mkfifo', [join(folder, 'fifo')]);
    for (const name of ['link', 'folder', 'fifo'])
      await expect(hashFile(join(folder, name), ['md5'])).rejects.toThrow(NotARegularFile);
  });
});
