import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { crc32, createDeflateRaw, deflateRawSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { toUpdateError } from '../../machines/errors.js';
import { NODE_FLAGS } from '../../scripts/release/node-flags.js';
import { extractEntry, readSmallEntry } from '../../services/package/read-entry.js';
import { openZip } from '../../services/package/zip-archive.js';
import { errorOf, writePackage } from '../support/sample-package.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { writeZip, type EntryDescription } from '../support/zip-writer.js';

const NOTHING = (): Promise<void> => Promise.resolve();

/** Extracts the one entry; tells how many bytes were given to be written, also where it fails. */
async function extract(entry: Omit<EntryDescription, 'name'>, signal?: AbortSignal) {
  const archive = await openZip(await writePackage(await temporaryFolder(), [{ name: 'file', ...entry }]));
  const found = archive.entries.get('file');
  if (found === undefined) throw new Error('no entry');
  let written = 0;
  const count = (chunk: Buffer): Promise<void> => {
    written += chunk.length;
    return Promise.resolve();
  };
  try {
    const result = await extractEntry(archive, found, count, signal);
    return { written, result, error: null };
  } catch (error) {
    return { written, result: null, error: toUpdateError(error) };
  } finally {
    await archive.close();
  }
}

const ZEROS = Buffer.alloc(10_000_000);

describe('what only inflating can show is refused while extracting: [P-36, P-41]', () => {
  const LIES: Record<string, [EntryDescription, string]> = {
    'a wrong CRC of a deflated entry': [
      { name: 'file', data: 'abc', method: 8, local: { crc: 1 }, central: { crc: 1 } },
      'its CRC-32 is 352441c2, promised was 00000001',
    ],
    'a wrong CRC of a stored entry': [
      { name: 'file', data: 'abc', local: { crc: 1 }, central: { crc: 1 } },
      'its CRC-32 is 352441c2, promised was 00000001',
    ],
    'one byte too few': [
      { name: 'file', data: 'abc', method: 8, local: { size: 4 }, central: { size: 4 } },
      'it inflates to 3 bytes, 4 were promised',
    ],
    'one byte too many': [
      { name: 'file', data: 'abcd', method: 8, local: { size: 3 }, central: { size: 3 } },
      'it inflates to more than the 3 bytes that it promises',
    ],
    'bytes although none were promised': [
      { name: 'file', data: 'abcd', method: 8, local: { size: 0 }, central: { size: 0 } },
      'it inflates to more than the 0 bytes that it promises',
    ],
    'a bomb': [
      { name: 'file', data: ZEROS, method: 8, local: { size: 1000 }, central: { size: 1000 } },
      'it inflates to more than the 1000 bytes that it promises',
    ],
    'no deflate data at all': [
      { name: 'file', data: 'abc', method: 8, raw: Buffer.from([0xff, 0xff, 0xff]) },
      'its data cannot be inflated: ',
    ],
    'deflate data that ends too early': [
      { name: 'file', data: ZEROS, method: 8, raw: deflateRawSync(ZEROS).subarray(0, 500) },
      'its data cannot be inflated: unexpected end of file',
    ],
    'bytes after the end of the deflate data': [
      {
        name: 'file',
        data: 'abc',
        method: 8,
        raw: Buffer.concat([deflateRawSync('abc'), Buffer.alloc(900_000)]),
      },
      'its data ends after 5 of 900005 bytes',
    ],
  };
  test.each(Object.entries(LIES))('%s', async (_, [entry, rule]) => {
    const { error, written } = await extract(entry);
    expect(error?.line).toContain(`INVALID_PACKAGE: entry "file": ${rule}`);
    expect(error?.facts.discard).toBe(true);
    expect(written).toBeLessThanOrEqual(entry.central?.size ?? ZEROS.length);
  });

  test('a file that was cut off after it was opened', async () => {
    const folder = await temporaryFolder();
    const path = await writePackage(folder, [{ name: 'file', data: ZEROS, method: 0 }]);
    const archive = await openZip(path);
    await writeFile(path, writeZip({ entries: [] }));
    const entry = archive.entries.get('file');
    const error = await errorOf(entry ? extractEntry(archive, entry, NOTHING) : Promise.resolve());
    await archive.close();
    expect(error.line).toBe('INVALID_PACKAGE: entry "file": the file ends within its data');
  });
});

describe('extractEntry', () => {
  test('gives the bytes, their size and their SHA-256', async () => {
    const data = randomBytes(3_000_000);
    const { result, written } = await extract({ data, method: 8 });
    expect(result).toEqual({ size: data.length, sha256: createHash('sha256').update(data).digest('hex') });
    expect(written).toBe(data.length);
  });

  test('waits for each chunk to be written before it gives the next', async () => {
    const archive = await openZip(
      await writePackage(await temporaryFolder(), [{ name: 'file', data: ZEROS, method: 8 }]),
    );
    const entry = archive.entries.get('file');
    let isWriting = false;
    let chunks = 0;
    const write = async (): Promise<void> => {
      expect(isWriting).toBe(false);
      isWriting = true;
      chunks += 1;
      await new Promise((resolve) => setImmediate(resolve));
      isWriting = false;
    };
    if (entry) await extractEntry(archive, entry, write);
    await archive.close();
    expect(chunks).toBeGreaterThan(10);
  });

  test.each([0, 8])('ends with the error of the writer (method %i)', async (method) => {
    const path = await writePackage(await temporaryFolder(), [{ name: 'file', data: ZEROS, method }]);
    const archive = await openZip(path);
    const entry = archive.entries.get('file');
    const full = (): Promise<void> => Promise.reject(new Error('ENOSPC'));
    const error = await errorOf(entry ? extractEntry(archive, entry, full) : Promise.resolve());
    await archive.close();
    expect(error.message).toBe('ENOSPC');
  });

  test.each([0, 8])('ends with CANCELLED once its signal is given (method %i)', async (method) => {
    const controller = new AbortController();
    setImmediate(() => controller.abort());
    const { error, written } = await extract({ data: ZEROS, method }, controller.signal);
    expect(error?.code).toBe('CANCELLED');
    expect(written).toBeLessThan(ZEROS.length);
  });

  test('holds a 200 MB entry neither deflated nor inflated: memory grows by less than 40 MiB', async () => {
    const folder = await temporaryFolder();
    const size = 200_000_000;
    const piece = Buffer.alloc(1_000_000);
    const deflate = createDeflateRaw();
    const raw: Buffer[] = [];
    deflate.on('data', (chunk: Buffer) => raw.push(chunk));
    let crc = 0;
    for (let done = 0; done < size; done += piece.length) {
      crc = crc32(piece, crc);
      await new Promise((resolve) => deflate.write(piece, resolve));
    }
    deflate.end();
    await once(deflate, 'end');
    const told = { size, crc };
    const zip = writeZip({
      entries: [{ name: 'zeros', method: 8, raw: Buffer.concat(raw), local: told, central: told }],
    });
    await writeFile(join(folder, 'zeros.zip'), zip);
    const child = fileURLToPath(new URL('../support/extract-measured.js', import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, [
      ...NODE_FLAGS,
      child,
      join(folder, 'zeros.zip'),
      'zeros',
    ]);
    const measured: unknown = JSON.parse(stdout);
    expect(measured).toEqual({ size, grown: expect.any(Number) });
    const grown = Number(/"grown":(\d+)/.exec(stdout)?.[1]);
    expect(grown).toBeLessThan(40 * 1024 * 1024);
  });
});

test('readSmallEntry gives the whole, and refuses an entry over its limit before reading it', async () => {
  const archive = await openZip(
    await writePackage(await temporaryFolder(), [{ name: 'file', data: 'abc', method: 8 }]),
  );
  const entry = archive.entries.get('file');
  if (entry === undefined) throw new Error('no entry');
  expect((await readSmallEntry(archive, entry, 3)).toString()).toBe('abc');
  const error = await errorOf(readSmallEntry(archive, entry, 2));
  await archive.close();
  expect(error.line).toBe('INVALID_PACKAGE: entry "file": it has 3 bytes; 2 are allowed');
});
