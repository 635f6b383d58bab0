import { deflateRawSync } from 'node:zlib';
import { truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { openZip } from '../../services/package/zip-archive.js';
import { gapFor, HOSTILE } from '../support/hostile-archives.js';
import { errorOf, manifestEntry, MODULE_FILE, writePackage } from '../support/sample-package.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { writeZip, type ZipDescription } from '../support/zip-writer.js';

describe('a hostile archive is refused when it is opened: [P-31, P-32, P-33, P-34, P-35, P-37, P-38, P-39, P-40]', () => {
  test.each(Object.entries(HOSTILE))('%s', async (rule, entries) => {
    const path = await writePackage(await temporaryFolder(), [manifestEntry(), ...entries], {
      gap: gapFor(rule),
    });
    const error = await errorOf(openZip(path));
    expect(error.line).toMatch(/^INVALID_PACKAGE: /);
    expect(error.message).toContain(rule);
    expect(error.facts.discard).toBe(true);
  });

  const ENDS: Record<string, Omit<ZipDescription, 'entries'>> = {
    'the central directory holds more than the 1 entries': { entryCount: 1 },
    'invalid central directory file header signature': { entryCount: 3, comment: 'x'.repeat(100) },
    'the ZIP has 100001 entries; 100000 are allowed': { entryCount: 100_001, zip64End: true },
  };
  test.each(Object.entries(ENDS))('%s', async (rule, options) => {
    const path = await writePackage(await temporaryFolder(), [manifestEntry(), MODULE_FILE], options);
    const error = await errorOf(openZip(path));
    expect(error.code).toBe('INVALID_PACKAGE');
    expect(error.message).toContain(rule);
  });

  test('a directory larger than 32 MiB, without keeping it all', async () => {
    const extra = Buffer.alloc(65_000);
    extra.writeUInt16LE(0xcafe, 0);
    extra.writeUInt16LE(extra.length - 4, 2);
    const entries = Array.from({ length: 600 }, (_, n) => ({ name: `f${n}`, central: { extra } }));
    const error = await errorOf(openZip(await writePackage(await temporaryFolder(), entries)));
    expect(error.line).toBe('INVALID_PACKAGE: the central directory is larger than 33554432 bytes');
  });

  test.each([
    ['nothing at all', Buffer.alloc(0)],
    ['a text', Buffer.from('<html>not found</html>')],
    ['an end record alone that tells one entry', writeZip({ entries: [], entryCount: 1 })],
    ['a gzip', deflateRawSync(Buffer.alloc(1000))],
  ])('%s in the place of a ZIP', async (_, bytes) => {
    const path = join(await temporaryFolder(), 'package.zip');
    await writeFile(path, bytes);
    expect((await errorOf(openZip(path))).line).toMatch(/^INVALID_PACKAGE: the ZIP is damaged: /);
  });

  test('an archive that ends anywhere before its end', async () => {
    const path = await writePackage(await temporaryFolder(), [
      manifestEntry(),
      { ...MODULE_FILE, method: 8 },
    ]);
    const whole = writeZip({ entries: [manifestEntry(), { ...MODULE_FILE, method: 8 }] }).length;
    for (let length = whole - 1; length > 0; length -= 1) {
      await truncate(path, length);
      expect((await errorOf(openZip(path))).code).toBe('INVALID_PACKAGE');
    }
  });
});

test('a long or odd name is quoted in the message, and cut', async () => {
  const path = await writePackage(await temporaryFolder(), [{ name: `../\n${'x'.repeat(3000)}` }]);
  const { message } = await errorOf(openZip(path));
  expect(message).toMatch(/^entry "\.\.\/\\nx+…: its name holds "\.\."$/);
  expect(message.length).toBeLessThan(300);
});

test('an honest archive of 100,000 entries is opened, with others getting their turn meanwhile [P-40]', async () => {
  const entries = Array.from({ length: 100_000 }, (_, n) => ({ name: `modules/folder-${n % 50}/file-${n}` }));
  const path = await writePackage(await temporaryFolder(), entries, { zip64End: true });
  let turns = 0;
  const counting = setInterval(() => (turns += 1), 1);
  const archive = await openZip(path);
  clearInterval(counting);
  await archive.close();
  expect(archive.entries.size).toBe(100_000);
  expect(turns).toBeGreaterThan(20);
});
