import { type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, test } from '@jest/globals';
import { takeInstanceLock } from '../services/instance-lock.js';
import { startNode } from './support/run-node.js';
import { temporaryFolder } from './support/temporary-folder.js';

function startHolder(store: string): ChildProcess {
  return startNode('__tests__/support/hold-lock.js', [store]);
}

/** The line in which a holder says whether it has the lock. */
function verdictOf({ stdout }: ChildProcess): Promise<string> {
  if (stdout === null) throw new Error('the holder was started without stdout');
  return new Promise((resolve) => createInterface(stdout).once('line', resolve));
}

async function end(child: ChildProcess): Promise<void> {
  const exit = once(child, 'exit');
  child.stdin?.end();
  await exit;
}

async function newStore(): Promise<string> {
  return join(await temporaryFolder(), '.tope-updater');
}

describe('the lock of a managed root', () => {
  test('is refused to a second process, which names the first [M-28]', async () => {
    const store = await newStore();
    const first = startHolder(store);
    expect(await verdictOf(first)).toBe('held');
    expect(await verdictOf(startHolder(store))).toBe(
      `refused: another updater (pid ${first.pid ?? 0}) holds the lock of ${store}: only one may run for a managed root`,
    );
    await end(first);
    const third = startHolder(store);
    expect(await verdictOf(third)).toBe('held');
    await end(third);
  });

  test('is free again when its holder was killed [M-28]', async () => {
    const store = await newStore();
    const first = startHolder(store);
    expect(await verdictOf(first)).toBe('held');
    const exit = once(first, 'exit');
    first.kill('SIGKILL');
    await exit;
    const lock = await takeInstanceLock(store);
    await lock.release();
  });

  test('leaves nothing beside its name, not even what a killed first start has left', async () => {
    const store = await newStore();
    await mkdir(store, { mode: 0o700 });
    const cut = 'a'.repeat(32);
    for (const name of [`lock-name.${cut}`, `.lock-name.${cut}.tmp`]) await writeFile(join(store, name), '');
    const lock = await takeInstanceLock(store);
    expect(await readdir(store)).toEqual(['lock-name']);
    await lock.release();
  });

  test('is refused within moments while its holder is stopped and tells nothing', async () => {
    const store = await newStore();
    const first = startHolder(store);
    expect(await verdictOf(first)).toBe('held');
    first.kill('SIGSTOP');
    await expect(takeInstanceLock(store)).rejects.toThrow(`another updater holds the lock of ${store}`);
  });

  test('goes to exactly one of several first starts', async () => {
    for (let round = 0; round < 3; round++) {
      const store = await newStore();
      const holders = Array.from({ length: 4 }, () => startHolder(store));
      const verdicts = await Promise.all(holders.map(verdictOf));
      expect(verdicts.filter((verdict) => verdict === 'held')).toHaveLength(1);
      expect(await readdir(store)).toEqual(['lock-name']);
      await Promise.all(holders.filter(({ exitCode }) => exitCode === null).map(end));
    }
  });

  test('goes to one of several starts in one process, whoever makes the name', async () => {
    const store = await newStore();
    const results = await Promise.allSettled(Array.from({ length: 8 }, () => takeInstanceLock(store)));
    const locks = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    expect(locks).toHaveLength(1);
    await locks[0]?.release();
  });

  test('has a random name that only its owner can read, and keeps it [M-29]', async () => {
    const store = await newStore();
    await (await takeInstanceLock(store)).release();
    const name = await readFile(join(store, 'lock-name'), 'utf8');
    expect(name).toMatch(/^[0-9a-f]{32}$/);
    expect((await stat(store)).mode & 0o777).toBe(0o700);
    expect((await stat(join(store, 'lock-name'))).mode & 0o777).toBe(0o600);
    await (await takeInstanceLock(store)).release();
    expect(await readFile(join(store, 'lock-name'), 'utf8')).toBe(name);
  });

  test.each(['', 'short', 'G'.repeat(32)])('gets a new name where it is damaged: %p', async (damaged) => {
    const store = await newStore();
    await mkdir(store);
    await writeFile(join(store, 'lock-name'), damaged);
    const results = await Promise.allSettled(Array.from({ length: 4 }, () => takeInstanceLock(store)));
    const locks = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    expect(locks).toHaveLength(1);
    expect(await readFile(join(store, 'lock-name'), 'utf8')).toMatch(/^[0-9a-f]{32}$/);
    await locks[0]?.release();
  });

  test('is not taken where the store is a symlink to somewhere else', async () => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, 'elsewhere'));
    await symlink('elsewhere', join(folder, 'store'));
    await expect(takeInstanceLock(join(folder, 'store'))).rejects.toThrow('EEXIST');
    expect(await readdir(join(folder, 'elsewhere'))).toEqual([]);
  });

  test('of one managed root does not keep others out', async () => {
    const [one, other] = [await takeInstanceLock(await newStore()), await takeInstanceLock(await newStore())];
    await Promise.all([one.release(), other.release()]);
  });
});
