import { randomBytes } from 'node:crypto';
import { open, readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { Journal, type JournalBody } from '../../services/deployment/journal.js';
import { deploymentFacts } from '../../services/deployment/journal-facts.js';
import { ApiDevice } from '../support/api-device.js';
import { errorOf } from '../support/sample-package.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const SLOT_BYTES = 8192;

const BODY: JournalBody = {
  purpose: 'update',
  from: { id: '000001-1.0.0', version: '1.0.0' },
  to: { id: '000002-1.1.0', version: '1.1.0' },
  leftId: '000001-1.0.0',
  pointers: { current: '000001-1.0.0', previous: null, factory: 'as-found' },
  operations: [],
  newFolders: [],
  oldFolders: [],
  plan: [],
  unitFilesChange: false,
  postCommands: [],
  health: [],
  leftHealth: [],
  roots: [],
};

async function journalPath(): Promise<string> {
  return join(await temporaryFolder(), 'journal');
}

async function read(path: string): Promise<Journal> {
  const journal = await Journal.read(path);
  if (journal === null) throw new Error('there is no journal');
  return journal;
}

/** Overwrites bytes of a file, as a torn write would have left them. */
async function tear(path: string, at: number, bytes: number): Promise<void> {
  const file = await open(path, 'r+');
  await file.write(Buffer.alloc(bytes, 0x55), 0, bytes, at);
  await file.close();
}

describe('the journal', () => {
  test('is read as it was made, and not at all where there is none [D-46]', async () => {
    const path = await journalPath();
    expect(await Journal.read(path)).toBeNull();
    await Journal.create(path, BODY);
    const journal = await read(path);
    expect(journal.body).toEqual(BODY);
    expect(journal.head).toMatchObject({ phase: 'stopping', cause: null, postCommandsDone: 0, boots: 0 });
    await journal.remove();
    expect(await Journal.read(path)).toBeNull();
  });

  test('is marked in place, in the blocks that it got when it was made [M-22]', async () => {
    const path = await journalPath();
    const journal = await Journal.create(path, BODY);
    const before = await stat(path);
    expect(before.blocks * 512).toBeGreaterThanOrEqual(before.size);
    for (const phase of ['switching', 'switched', 'undoing', 'undone'] as const)
      await journal.mark({ phase });
    await journal.rewrite({ ...BODY, leftId: '000003-1.0.0' });
    const after = await stat(path);
    expect([after.ino, after.size, after.blocks]).toEqual([before.ino, before.size, before.blocks]);
    expect((await read(path)).head.phase).toBe('undone');
    expect((await read(path)).body.leftId).toBe('000003-1.0.0');
  });

  test('keeps what one mark does not change', async () => {
    const path = await journalPath();
    const journal = await Journal.create(path, BODY);
    await journal.mark({ postCommandsDone: 2 });
    await journal.mark({ phase: 'undoing', cause: { code: 'POST_CMD_FAILED', message: 'no' } });
    await journal.mark({ phase: 'undone', boots: 1 });
    expect((await read(path)).head).toMatchObject({
      phase: 'undone',
      cause: { code: 'POST_CMD_FAILED', message: 'no' },
      postCommandsDone: 2,
      boots: 1,
    });
  });

  // The first mark is in the second slot, and each further one in the other slot than the one before.
  test.each([
    ['second mark', 0, 'stopping'],
    ['third mark', SLOT_BYTES, 'switching'],
  ])('of which the %s is torn says what the mark before it said [D-45]', async (_, slotAt, phase) => {
    const path = await journalPath();
    const journal = await Journal.create(path, BODY);
    await journal.mark({ phase: 'switching' });
    if (slotAt === SLOT_BYTES) await journal.mark({ phase: 'switched' });
    await tear(path, slotAt + 40, 100);
    expect((await read(path)).head.phase).toBe(phase);
    expect((await read(path)).body).toEqual(BODY);
  });

  test('goes on from a torn mark: the next one is whole again [D-45]', async () => {
    const path = await journalPath();
    await (await Journal.create(path, BODY)).mark({ phase: 'switching' });
    await tear(path, 0, SLOT_BYTES);
    await (await read(path)).mark({ phase: 'undoing' });
    expect((await read(path)).head.phase).toBe('undoing');
  });

  test('writes a new body beside the old one, which counts until the new one is marked', async () => {
    const path = await journalPath();
    const journal = await Journal.create(path, BODY);
    const before = await readFile(path);
    await journal.rewrite({ ...BODY, postCommands: ['reboot'] });
    const after = await readFile(path);
    const torn = Buffer.from(after);
    // The cut came before the mark: both slots are those of before.
    before.copy(torn, 0, 0, 2 * SLOT_BYTES);
    await writeFile(path, torn);
    expect((await read(path)).body).toEqual(BODY);
    // The mark is there, and the body that it speaks of is not whole.
    await writeFile(path, after);
    const at = after.findIndex((byte, n) => n >= 2 * SLOT_BYTES && byte !== before[n]);
    await tear(path, at, 3);
    expect((await read(path)).body).toEqual(BODY);
  });

  test('alternates between its two areas, however often it is written anew', async () => {
    const path = await journalPath();
    const journal = await Journal.create(path, BODY);
    for (const command of ['a', 'b', 'c']) {
      await journal.rewrite({ ...BODY, postCommands: [command] });
      expect((await read(path)).body.postCommands).toEqual([command]);
    }
  });

  test('refuses a body for which it has no room, and stays as it was', async () => {
    const path = await journalPath();
    const journal = await Journal.create(path, BODY);
    const error = await errorOf(
      journal.rewrite({ ...BODY, postCommands: [randomBytes(100_000).toString('hex')] }),
    );
    expect(error.code).toBe('DEPLOYMENT_FAILED');
    expect(error.message).toMatch(/has room for \d+ bytes, 1\d{5} are needed/);
    expect((await read(path)).body).toEqual(BODY);
    await journal.mark({ phase: 'undone' });
    expect((await read(path)).body).toEqual(BODY);
  });

  test('cuts a cause that would not fit, whatever its characters', async () => {
    for (const character of ['x', '\u0001', '\u20ac', '\ud83d\ude00']) {
      const path = await journalPath();
      const journal = await Journal.create(path, BODY);
      const message = character.repeat(50_000);
      await journal.mark({ phase: 'undoing', cause: { code: 'HEALTH_CHECK_FAILED', message } });
      const { cause } = (await read(path)).head;
      expect(message.startsWith(cause?.message ?? 'none')).toBe(true);
      expect(cause?.message).toHaveLength(1000);
    }
  });

  test('of the last resort replaces the undone one at once, with its cause [D-82]', async () => {
    const path = await journalPath();
    await (await Journal.create(path, BODY)).mark({ phase: 'undone' });
    const cause = { code: 'SERVICE_START_FAILED', message: 'api exited 1' } as const;
    await Journal.create(path, { ...BODY, purpose: 'factory' }, cause);
    const journal = await read(path);
    expect(journal.body.purpose).toBe('factory');
    expect(journal.head).toMatchObject({ phase: 'stopping', cause });
  });

  test.each([
    ['empty', (path: string) => truncate(path, 0)],
    ['truncated', (path: string) => truncate(path, 100)],
    ['foreign', (path: string) => writeFile(path, 'a diary\n')],
    ['torn in both slots', (path: string) => tear(path, 0, 2 * SLOT_BYTES)],
    ['without a whole body', (path: string) => truncate(path, 2 * SLOT_BYTES)],
  ])('that is %s is refused by name', async (_, damage) => {
    const path = await journalPath();
    await (await Journal.create(path, BODY)).mark({ phase: 'switching' });
    await damage(path);
    const error = await errorOf(Journal.read(path));
    expect(error.line).toBe(`DEPLOYMENT_FAILED: the journal ${path} is damaged: no slot of it is whole`);
  });

  test('that cannot be read is told as that, and stays where it is with all that it may name', async () => {
    const { bench } = await ApiDevice.make();
    await bench.stop(await bench.package('1.0.0', { [join(bench.root, 'file')]: 'new' }));
    await writeFile(bench.store.journalPath, 'a diary');
    const staged = await readdir(join(bench.store.staging, 'new'));
    expect(await deploymentFacts(bench.store, bench.log)).toMatchObject({ journal: 'unreadable' });
    await expect(bench.close()).rejects.toThrow('is damaged');
    expect(await readFile(bench.store.journalPath, 'utf8')).toBe('a diary');
    expect(await readdir(join(bench.store.staging, 'new'))).toEqual(staged);
  });
});
