import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { BuiltPackage } from '../support/build-package.js';
import { Device } from '../support/device.js';
import { readTree, type FileFacts } from '../support/file-tree.js';
import { gapFor, HOSTILE } from '../support/hostile-archives.js';
import { accepted } from '../support/updater-caller.js';
import { writeZip, type EntryDescription } from '../support/zip-writer.js';

const VERSION = '1.1.0';
const ZEROS = Buffer.alloc(30_000_000);
const BOMB = { data: ZEROS, method: 8, raw: deflateRawSync(ZEROS) };

let device: Device;
let before: Record<string, FileFacts>;
let peakBefore: number;

beforeAll(async () => {
  device = await Device.on({ life: 'file' });
  device.put('app', 'as found');
  before = await readTree(device.root);
  peakBefore = peakBytes();
});

/** The most memory that the updater has ever held. */
function peakBytes(): number {
  const status = readFileSync(`/proc/${device.updater.pid}/status`, 'utf8');
  return Number(/VmHWM:\s*(\d+)/.exec(status)?.[1]) * 1024;
}

function manifest(module: object = {}, fields: object = {}): EntryDescription {
  const modules = [{ name: 'app', src: 'app', dst: device.path('app'), ...module }];
  return { name: 'manifest.json', data: JSON.stringify({ version: VERSION, modules, ...fields }) };
}

function write(entries: EntryDescription[], gap: Buffer = Buffer.alloc(0)): BuiltPackage {
  const zip = writeZip({ entries, gap });
  const folder = join(device.folder, 'packages');
  const name = `${createHash('sha256').update(zip).digest('hex').slice(0, 16)}.zip`;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, name), zip);
  const md5 = createHash('md5').update(zip).digest('hex');
  return { path: join(folder, name), name, version: VERSION, size: zip.length, md5, sha256: '' };
}

/** Orders a package, and its installation if it gets ready; answers with the error and where it failed. */
async function failureOf(built: BuiltPackage): Promise<{ error: string; stages: string[] }> {
  const from = device.api.heard.length;
  accepted(await device.download(built));
  const seen = () => device.api.heard.slice(from).map(({ stage }) => stage);
  await Promise.race([
    device.api.hearsStage('failed', { from }),
    device.api.hearsStage('toInstall', { from }),
  ]);
  if (seen().includes('toInstall')) {
    accepted(await device.update(VERSION));
    await device.api.hearsStage('failed', { from });
  }
  return { error: (await device.progress()).error ?? '', stages: [...new Set(seen())] };
}

const APP: EntryDescription = { name: 'app', data: 'new' };

describe('a device refuses in verifying, stays as it was, and takes the next good package after', () => {
  test('each archive of the corpus, by the rule that it is named after [P-29]', async () => {
    expect(Object.keys(HOSTILE).length).toBeGreaterThan(50);
    for (const [rule, entries] of Object.entries(HOSTILE)) {
      const { error, stages } = await failureOf(write([manifest(), ...entries], gapFor(rule)));
      expect({ error, stages }).toEqual({
        error: expect.stringMatching(/^INVALID_PACKAGE: /),
        stages: ['downloading', 'verifying', 'failed'],
      });
      expect(error).toContain(rule);
    }
    await expectUntouched();
  });

  test('manifests and places of every wrong kind [P-29]', async () => {
    const wrong: EntryDescription[] = [
      { name: 'manifest.json', data: '{' },
      { name: 'manifest.json', data: Buffer.from([0x7b, 0xff]) },
      { name: 'manifest.json', data: ' '.repeat(1_100_000), method: 8 },
      { name: 'manifest.json', data: '['.repeat(300_000) },
      manifest({}, { version: '9.9.9' }),
      manifest({}, { modules: [] }),
      manifest({ src: 'gone' }),
      manifest({ src: '../app' }),
      ...['/etc/passwd', '/', 'app', `${device.root}/../x`, device.root, `${device.root}//x`].map((dst) =>
        manifest({ dst }),
      ),
      manifest({ dst: `${device.storeDir}/current` }),
      manifest({ post_cmds: ['touch /tmp/owned'] }),
      manifest({ remove: ['/etc/passwd'] }),
    ];
    for (const entry of wrong) {
      const { error, stages } = await failureOf(write([entry, APP]));
      expect({ error, stages }).toEqual({
        error: expect.stringMatching(/^INVALID_MANIFEST: /),
        stages: ['downloading', 'verifying', 'failed'],
      });
    }
    await expectUntouched();
  });

  test('and in staging what only inflating can show, bombs among it [P-30]', async () => {
    const short = { size: 1000 };
    for (const [what, entries] of Object.entries<EntryDescription[]>({
      'inflates to more than': [{ name: 'app', ...BOMB, local: short, central: short }],
      'its CRC-32 is': [{ ...APP, local: { crc: 1 }, central: { crc: 1 } }],
      'cannot be inflated': [{ name: 'app', data: 'x', method: 8, raw: Buffer.from([0xff, 0xff]) }],
    })) {
      const { error, stages } = await failureOf(write([manifest(), ...entries]));
      expect(error).toMatch(/^INVALID_PACKAGE: entry "app": /);
      expect(error).toContain(what);
      expect(stages).toEqual(['downloading', 'verifying', 'toInstall', 'installing', 'failed']);
    }
    await expectUntouched();
  });

  test('without taking much memory for any of them', async () => {
    expect(peakBytes() - peakBefore).toBeLessThan(80_000_000);
    await device.install(write([manifest(), APP]));
    expect(device.read('app')).toBe('new');
  });
});

async function expectUntouched(): Promise<void> {
  await device.isTidy();
  expect(await readTree(device.root)).toEqual(before);
}
