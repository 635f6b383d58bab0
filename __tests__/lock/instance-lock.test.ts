import { type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, readdir, readlink, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, test } from '@jest/globals';
import { takeInstanceLock } from '../../services/lock/instance-lock.js';
import { ROOT, testIf } from '../support/requirements.js';
import { startNode } from '../support/run-node.js';
import { temporaryFolder } from '../support/temporary-folder.js';

function startHolder(store: string): ChildProcess {
  return startNode('__tests__/support/hold-lock.js', [store]);
}

/** The line in which a holder says whether it has the lock. */
function verdictOf({ stdout }: ChildProcess): Promise<string> {
  if (stdout === null) throw new Error('the holder was started without stdout');
  return new Promise((resolve) => createInterface(stdout).once('line', resolve));
}

function linesOf({ stdout }: ChildProcess): AsyncIterator<string> {
  if (stdout === null) throw new Error('the program was started without stdout');
  return createInterface(stdout)[Symbol.asyncIterator]();
}

/** The inodes of the sockets that a process has: proc(5). */
async function socketsOf({ pid = 0 }: ChildProcess): Promise<string[]> {
  const folder = `/proc/${pid}/fd`;
  const links = await Promise.all((await readdir(folder)).map((fd) => readlink(join(folder, fd))));
  return links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []);
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
    await lock.unlock();
  });

  test('leaves one socket, and nothing when it is released, not even of starts that were cut', async () => {
    const store = await newStore();
    const dead = startHolder(store);
    expect(await verdictOf(dead)).toBe('held');
    const exit = once(dead, 'exit');
    dead.kill('SIGKILL');
    await exit;
    await writeFile(join(store, `.lock.${'a'.repeat(32)}`), '');
    const [left] = await readdir(store);
    const lock = await takeInstanceLock(store);
    const names = await readdir(store);
    expect(names).toEqual([expect.stringMatching(/^lock\.[0-9a-f]{32}$/)]);
    expect(names[0]).not.toBe(left);
    await lock.unlock();
    expect(await readdir(store)).toEqual([]);
  });

  test('is refused within moments while its holder is stopped and tells nothing', async () => {
    const store = await newStore();
    const first = startHolder(store);
    expect(await verdictOf(first)).toBe('held');
    first.kill('SIGSTOP');
    await expect(takeInstanceLock(store)).rejects.toThrow(`another updater holds the lock of ${store}`);
  });

  test('goes to exactly one of several starts, first ones and after a holder that was killed', async () => {
    const store = await newStore();
    for (let round = 0; round < 3; round++) {
      const holders = Array.from({ length: 4 }, () => startHolder(store));
      const verdicts = await Promise.all(holders.map(verdictOf));
      expect(verdicts.filter((verdict) => verdict === 'held')).toHaveLength(1);
      expect(await readdir(store)).toHaveLength(1);
      const alive = holders.filter(({ exitCode }) => exitCode === null);
      for (const holder of alive) holder.kill('SIGKILL');
      await Promise.all(alive.map(async (holder) => holder.signalCode ?? once(holder, 'exit')));
    }
  });

  test('goes to one of several starts in one process, again and again', async () => {
    const store = await newStore();
    for (let round = 0; round < 20; round++) {
      const results = await Promise.allSettled(Array.from({ length: 8 }, () => takeInstanceLock(store)));
      const locks = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
      expect(locks).toHaveLength(1);
      await locks[0]?.unlock();
    }
  });

  test('lies in a folder that only its owner can enter, however long its path is [M-29]', async () => {
    const store = join(await temporaryFolder(), 'long'.repeat(30), '.tope-updater');
    const lock = await takeInstanceLock(store);
    expect((await stat(store)).mode & 0o777).toBe(0o700);
    await expect(takeInstanceLock(store)).rejects.toThrow(`(pid ${process.pid}) holds the lock of ${store}`);
    await lock.unlock();
  });

  testIf(
    ROOT,
    'cannot be kept from the updater by another user, who has seen all sockets there are',
    async () => {
      const store = await newStore();
      await chmod(dirname(store), 0o755);
      const holder = startHolder(store);
      expect(await verdictOf(holder)).toBe('held');
      const other = startNode('__tests__/support/squat.js', await socketsOf(holder));
      const lines = linesOf(other);
      expect(await lines.next()).toMatchObject({ value: expect.stringMatching(/^saw [1-9]/) });
      await end(holder);
      other.stdin?.end();
      expect(await lines.next()).toMatchObject({ value: 'got 0' });
      await (await takeInstanceLock(store)).unlock();
    },
  );

  test('is not taken where the store is a symlink to somewhere else', async () => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, 'elsewhere'));
    await symlink('elsewhere', join(folder, 'store'));
    await expect(takeInstanceLock(join(folder, 'store'))).rejects.toThrow('EEXIST');
    expect(await readdir(join(folder, 'elsewhere'))).toEqual([]);
  });

  test('of one managed root does not keep others out', async () => {
    const [one, other] = [await takeInstanceLock(await newStore()), await takeInstanceLock(await newStore())];
    await Promise.all([one.unlock(), other.unlock()]);
  });
});
