import { execFileSync } from 'node:child_process';
import { mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createActor } from 'xstate';
import { statePath } from '../../machines/stage.js';
import { updateMachine } from '../../machines/update-machine.js';
import { readState } from '../../services/saved-state/read-state.js';
import {
  checksumOf,
  encodeState,
  NO_RESTORES,
  SCHEMA,
  statePaths,
} from '../../services/saved-state/saved-state.js';
import { driveTo, STATE_PATHS, type StatePath } from '../support/machine-states.js';
import { RecordingLog } from '../support/recording-log.js';
import { startScriptedMachine } from '../support/scripted-machine.js';
import { temporaryFolder } from '../support/temporary-folder.js';

type Json = Record<string, unknown>;

/** The machine's own snapshot of a state, as parsed JSON. */
async function snapshotOf(path: StatePath): Promise<Json> {
  const machine = startScriptedMachine();
  try {
    await driveTo(machine, path);
    // The tests of the machine name releases more freely than the store does.
    return parse(
      JSON.stringify(machine.actor.getPersistedSnapshot()).replaceAll('release-1.2.0', '000002-1.2.0'),
    );
  } finally {
    machine.stop();
  }
}

function parse(text: string): Json {
  const value: unknown = JSON.parse(text);
  return asObject(value);
}

function asObject(value: unknown): Json {
  if (typeof value !== 'object' || value === null) throw new Error('no object');
  return { ...value };
}

const encoded = (snapshot: unknown) => encodeState(snapshot, NO_RESTORES, '2027-01-01T00:00:00.000Z');

/** A state file whose envelope was changed, with the right checksum. */
function enveloped(fields: Json, snapshot: unknown): string {
  const body = { schema: SCHEMA, savedAt: '', restores: NO_RESTORES, snapshot, ...fields };
  return JSON.stringify({ ...body, checksum: checksumOf(body) });
}

let downloading: Json;
let tmpDir: string;
let log: RecordingLog;

beforeAll(async () => {
  downloading = await snapshotOf('downloading.transferring');
});

beforeEach(async () => {
  tmpDir = await temporaryFolder();
  log = new RecordingLog();
});

const read = () => readState(tmpDir, updateMachine, log);
const paths = () => statePaths(tmpDir);
const errors = () => log.lines.filter((line) => line.startsWith('error'));

/** The downloading snapshot with one thing changed in it. */
const changed = (fields: Json) => encoded({ ...downloading, ...fields });
const withContext = (fields: Json) =>
  changed({ context: { ...asObject(downloading['context']), ...fields } });
const order = () => asObject(asObject(downloading['context'])['order']);
const transfer = () => asObject(asObject(downloading['children'])['transfer']);
const withInput = (identity: Json) =>
  changed({
    children: {
      transfer: { ...transfer(), snapshot: { ...asObject(transfer()['snapshot']), input: { identity } } },
    },
  });

/** What is written to the place of the state, and a word of the reason that the log must give. */
const POISONS: [string, string, (path: string) => unknown][] = [
  ['empty', 'JSON', (path) => writeFile(path, '')],
  ['truncated', 'JSON', (path) => writeFile(path, encoded(downloading).slice(0, 500))],
  ['zeros, as a power cut leaves them', 'JSON', (path) => writeFile(path, Buffer.alloc(4096))],
  ['no object', 'envelope', (path) => writeFile(path, '[]')],
  ['null', 'envelope', (path) => writeFile(path, 'null')],
  ['without its envelope', 'envelope', (path) => writeFile(path, JSON.stringify(downloading))],
  [
    'with another checksum',
    'checksum',
    (path) =>
      writeFile(path, encoded(downloading).replace('"uptimeMs":0', '"uptimeMs":1').replace('1.2.0', '1.2.1')),
  ],
  ['of a future schema', 'newer', (path) => writeFile(path, enveloped({ schema: SCHEMA + 1 }, downloading))],
  ['of schema 0', 'envelope', (path) => writeFile(path, enveloped({ schema: 0 }, downloading))],
  [
    'with a restore count of -1',
    'restores',
    (path) => writeFile(path, enveloped({ restores: { state: '', count: -1, bytes: 0 } }, downloading)),
  ],
  ['with no snapshot', 'snapshot', (path) => writeFile(path, enveloped({ snapshot: null }, null))],
  ['of a state that is not known', 'no state', (path) => writeFile(path, changed({ value: 'uploading' }))],
  [
    'of a nested state that is not known',
    'no state',
    (path) => writeFile(path, changed({ value: { downloading: 'sideways' } })),
  ],
  [
    'of a state named like a method',
    'no state',
    (path) => writeFile(path, changed({ value: 'constructor' })),
  ],
  ['of half a state', 'innermost', (path) => writeFile(path, changed({ value: 'downloading' }))],
  ['with an actor that has no child', 'no child', (path) => writeFile(path, changed({ children: {} }))],
  [
    'with an actor of another kind',
    'no child',
    (path) => writeFile(path, changed({ children: { transfer: { ...transfer(), src: 'tidy' } } })),
  ],
  [
    'with an actor that has ended, which its state would wait for',
    'has ended',
    (path) =>
      writeFile(
        path,
        changed({
          children: {
            transfer: { ...transfer(), snapshot: { ...asObject(transfer()['snapshot']), status: 'done' } },
          },
        }),
      ),
  ],
  [
    'with an actor at work on another package than the ordered one',
    'another package',
    (path) => writeFile(path, withInput({ version: '1.2.0', md5: 'ab'.repeat(16), size: 5 })),
  ],
  [
    'with an actor that the state does not invoke',
    'does not invoke',
    (path) =>
      writeFile(
        path,
        changed({ children: { transfer: transfer(), undo: { ...transfer(), src: 'goBack' } } }),
      ),
  ],
  ...['stopped', 'error', 'done'].map((status): (typeof POISONS)[number] => [
    `with status ${status}`,
    'status',
    (path) => writeFile(path, changed({ status })),
  ]),
  ['without a context', 'context', (path) => writeFile(path, changed({ context: undefined }))],
  ['with a context of another shape', 'order', (path) => writeFile(path, withContext({ order: 'big' }))],
  [
    'with ../ in a version',
    'version',
    (path) => writeFile(path, withContext({ order: { ...order(), version: '../1.0' } })),
  ],
  [
    'with ../ in a digest',
    'md5',
    (path) => writeFile(path, withContext({ order: { ...order(), md5: '../../../../etc/cron.d/x' } })),
  ],
  [
    'with ../ in the input of an actor',
    'input',
    (path) => writeFile(path, withInput({ version: '1.2.0', md5: '../../../../etc/cron.d/x', size: 5 })),
  ],
  ['a folder', 'regular file', (path) => mkdir(join(path, 'inside'), { recursive: true })],
  ['a FIFO', 'regular file', (path) => execFileSync('mkfifo', [path])],
  ['a symlink to what never ends', 'regular file', (path) => symlink('/dev/zero', path)],
  ['far too large', 'bytes', (path) => writeFile(path, Buffer.alloc(17 * 1024 * 1024, 32))],
];

describe('a state file that is', () => {
  test.each(POISONS)(
    '%s leads to the one before it, with one line of the reason [M-24, M-25]',
    async (_, reason, poison) => {
      await poison(paths().state);
      await writeFile(paths().backup, encoded(downloading));
      const restored = await read();
      expect(restored?.snapshot).toMatchObject({ value: { downloading: 'transferring' } });
      expect(errors()).toHaveLength(1);
      expect(errors()[0]).toContain(reason);
      expect(await readdir(tmpDir)).toEqual([
        'state.json.bak',
        expect.stringMatching(/^state\.json\.corrupt-\d{4}-\d\d-\d\dT/),
      ]);
    },
  );

  test.each(POISONS)('%s, and so is the one before it, leads to idle [M-26]', async (_, reason, poison) => {
    await poison(paths().state);
    await poison(paths().backup);
    expect(await read()).toBeNull();
    expect(errors()).toHaveLength(1);
    expect(errors()[0]).toContain(reason);
    const left = await readdir(tmpDir);
    expect(left).toHaveLength(2);
    for (const name of left) expect(name).toMatch(/^state\.json\.corrupt-/);
    await Promise.all(left.map((name) => rm(join(tmpDir, name), { recursive: true })));
  });
});

describe('the saved state', () => {
  test('is none where there is no file, and that is not worth a line', async () => {
    expect(await read()).toBeNull();
    expect(log.lines).toEqual([]);
  });

  test('is the one before where only that is there', async () => {
    await writeFile(paths().backup, encoded(downloading));
    expect(await read()).not.toBeNull();
    expect(await readFile(paths().backup, 'utf8')).toBe(encoded(downloading));
  });

  test.each(STATE_PATHS)('of %s passes the gate and starts there again', async (path) => {
    await writeFile(paths().state, encoded(await snapshotOf(path)));
    const restored = await read();
    expect(errors()).toEqual([]);
    const actor = createActor(updateMachine, {
      ...(restored === null ? {} : { snapshot: restored.snapshot }),
    });
    expect(statePath(actor.getSnapshot().value)).toBe(path);
    expect(actor.getSnapshot().status).toBe('active');
  });
});
