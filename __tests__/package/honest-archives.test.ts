import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { extractEntry } from '../../services/package/read-entry.js';
import { openZip } from '../../services/package/zip-archive.js';
import { hasProgram, testIf } from '../support/requirements.js';
import { writePackage } from '../support/sample-package.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import type { EntryDescription } from '../support/zip-writer.js';

/** Every file entry's contents, with each digest checked against the bytes that came. */
async function contentsOf(path: string): Promise<Map<string, Buffer>> {
  const archive = await openZip(path);
  const contents = new Map<string, Buffer>();
  try {
    for (const entry of archive.entries.values()) {
      const chunks: Buffer[] = [];
      const { size, sha256 } = await extractEntry(archive, entry, (chunk) => {
        chunks.push(Buffer.from(chunk));
        return Promise.resolve();
      });
      const whole = Buffer.concat(chunks);
      expect(size).toBe(whole.length);
      expect(sha256).toBe(createHash('sha256').update(whole).digest('hex'));
      contents.set(entry.name, whole);
    }
  } finally {
    await archive.close();
  }
  return contents;
}

const ZIP = { met: hasProgram('zip'), needs: 'the package zip' };
const PYTHON = { met: hasProgram('python3'), needs: 'the package python3' };
const TEXT = Buffer.from('the same words again and again '.repeat(100_000));
const NOISE = randomBytes(700_001);

describe('an archive that says the same everywhere is read as it is: [P-1, P-38]', () => {
  const HONEST: Record<string, Omit<EntryDescription, 'name'>> = {
    'a stored entry': { data: NOISE },
    'a deflated entry': { data: TEXT, method: 8 },
    'a deflated entry that did not become smaller': { data: NOISE, method: 8 },
    'an empty stored entry': { data: '' },
    'an empty deflated entry': { data: '', method: 8 },
    'sizes in ZIP64 fields': { data: TEXT, method: 8, zip64: true },
    'a data descriptor with its signature': { data: TEXT, method: 8, descriptor: 'signed' },
    'a data descriptor without its signature': { data: TEXT, method: 8, descriptor: 'unsigned' },
    'a ZIP64 data descriptor': { data: TEXT, method: 8, descriptor: 'signed64', zip64: true },
    'a ZIP64 data descriptor without its signature': { data: NOISE, descriptor: 'unsigned64' },
    'an entry made on MS-DOS': { data: TEXT, method: 8, host: 0, mode: 0 },
  };
  test.each(Object.entries(HONEST))('%s', async (_, entry) => {
    const entries = [
      { name: 'a/first', data: 'x' },
      { name: 'a/file', ...entry },
      { name: 'last', data: 'y' },
    ];
    const contents = await contentsOf(await writePackage(await temporaryFolder(), entries));
    expect(contents.get('a/file')?.equals(Buffer.from(entry.data ?? ''))).toBe(true);
    expect(contents.get('last')?.toString()).toBe('y');
  });

  test('bit 3 set although the local header tells everything and no descriptor follows', async () => {
    const entries = [
      { name: 'a', data: 'x', flags: 8 },
      { name: 'b', data: 'y' },
    ];
    const contents = await contentsOf(await writePackage(await temporaryFolder(), entries));
    expect(contents.get('b')?.toString()).toBe('y');
  });

  test('a comment, a gap before the directory, ZIP64 end records, folders, a name in UTF-8', async () => {
    const entries = [
      { name: 'größe/', mode: 0o040755 },
      { name: 'größe/мир', data: 'x' },
    ];
    const path = await writePackage(await temporaryFolder(), entries, {
      comment: 'made by hand',
      gap: Buffer.alloc(1000),
      zip64End: true,
    });
    expect([...(await contentsOf(path)).keys()]).toEqual(['größe/', 'größe/мир']);
  });
});

describe('an archive that other programs make is read as it is: [P-1]', () => {
  const FILES = new Map([
    ['modules/text', TEXT],
    ['modules/deep/noise', NOISE],
    ['modules/größe', Buffer.from('x')],
    ['modules/empty', Buffer.alloc(0)],
  ]);

  async function folderOfFiles(): Promise<string> {
    const folder = await temporaryFolder();
    for (const [name, contents] of FILES) {
      await mkdir(dirname(join(folder, name)), { recursive: true });
      await writeFile(join(folder, name), contents);
    }
    await chmod(join(folder, 'modules/text'), 0o750);
    return folder;
  }

  async function expectFiles(path: string): Promise<void> {
    const contents = await contentsOf(path);
    for (const [name, expected] of FILES)
      expect([name, contents.get(name)?.equals(expected)]).toEqual([name, true]);
  }

  const ZIP_WAYS: Record<string, string[]> = {
    'zip -r': ['-qr', 'out.zip', 'modules'],
    'zip -0': ['-qr0', 'out.zip', 'modules'],
    'zip -fz (ZIP64 throughout)': ['-qr', '-fz', 'out.zip', 'modules'],
    'zip -fd (data descriptors)': ['-qr', '-fd', 'out.zip', 'modules'],
  };
  for (const [name, args] of Object.entries(ZIP_WAYS))
    testIf(ZIP, name, async () => {
      const folder = await folderOfFiles();
      execFileSync('zip', args, { cwd: folder, env: { ...process.env, LC_ALL: 'C.UTF-8' } });
      await expectFiles(join(folder, 'out.zip'));
    });

  testIf(ZIP, 'zip writing to a pipe', async () => {
    const folder = await folderOfFiles();
    const bytes = execFileSync('zip', ['-qr', '-', 'modules'], {
      cwd: folder,
      env: { ...process.env, LC_ALL: 'C.UTF-8' },
      maxBuffer: 64e6,
    });
    await writeFile(join(folder, 'out.zip'), bytes);
    await expectFiles(join(folder, 'out.zip'));
  });

  const PYTHON_WAYS: Record<string, string> = {
    'python, deflated': "z = zipfile.ZipFile('out.zip', 'w', zipfile.ZIP_DEFLATED)\nwith z: add(z)",
    'python, stored': "z = zipfile.ZipFile('out.zip', 'w')\nwith z: add(z)",
    'python, to a stream that cannot seek':
      "class S(io.RawIOBase):\n  f = open('out.zip', 'wb')\n  def writable(self): return True\n  def write(self, b): return self.f.write(b)\nz = zipfile.ZipFile(S(), 'w', zipfile.ZIP_DEFLATED)\nwith z: add(z)\nS.f.close()",
    'python, ZIP64 forced':
      "z = zipfile.ZipFile('out.zip', 'w', zipfile.ZIP_DEFLATED)\nwith z:\n  for n in names:\n    with z.open(n, 'w', force_zip64=True) as f: f.write(open(n, 'rb').read())",
  };
  for (const [name, way] of Object.entries(PYTHON_WAYS))
    testIf(PYTHON, name, async () => {
      const folder = await folderOfFiles();
      const names = JSON.stringify([...FILES.keys()]);
      const script = `import io, zipfile\nnames = ${names}\ndef add(z):\n  for n in names: z.write(n)\n${way}\n`;
      execFileSync('python3', ['-c', script], { cwd: folder });
      await expectFiles(join(folder, 'out.zip'));
    });

  testIf(ZIP, 'the Unix mode is told where there is one', async () => {
    const folder = await folderOfFiles();
    execFileSync('zip', ['-qr', 'out.zip', 'modules'], { cwd: folder });
    const archive = await openZip(join(folder, 'out.zip'));
    await archive.close();
    expect(archive.entries.get('modules/text')?.mode).toBe(0o750);
    const dos = await openZip(await writePackage(folder, [{ name: 'a', host: 0, mode: 0 }]));
    await dos.close();
    expect(dos.entries.get('a')?.mode).toBeNull();
  });
});
