import { once } from 'node:events';
import { existsSync } from 'node:fs';
import {
  mkdir,
  open,
  readdir,
  readFile,
  readlink,
  rename,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { tidyLogFiles } from '../../services/log/log-files.js';
import { logLine } from '../../services/log/log-line.js';
import { endingOf, runNode, startNode, type Ending } from '../support/run-node.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { until } from '../support/until.js';

const WRITER = '__tests__/support/write-log.js';
const AUDIT = '.updater-rotation.json';
const OTHER_FILE = '{"name":"FOLDER/history.jsonl","date":0,"hash":""}';
const LINE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (DEBUG|INFO |WARN |ERROR) \S.*$/;

function writeLog(folder: string, count = 0, maxBytes?: number): Promise<Ending> {
  return runNode(WRITER, [folder, String(count), ...(maxBytes === undefined ? [] : [String(maxBytes)])]);
}

async function linesOf(path: string): Promise<string[]> {
  return (await readFile(path, 'utf8')).trimEnd().split('\n');
}

async function partsIn(folder: string): Promise<string[]> {
  return (await readdir(folder)).filter((name) => name.startsWith('updater-part')).sort();
}

describe('a line of the log', () => {
  const time = new Date(Date.UTC(2026, 0, 1));

  test('has time, level, message and fields', () => {
    expect(
      logLine(time, 'info', 'state changed', { from: 'idle', to: 'downloading', ms: 12, ok: true, id: null }),
    ).toBe('2026-01-01T00:00:00.000Z INFO  state changed from=idle to=downloading ms=12 ok=true id=null');
  });

  test('quotes a value that could be taken for more than one', () => {
    expect(logLine(time, 'warn', 'm', { a: 'x y=1', b: '', c: 'say "no"' })).toMatch(
      / WARN {2}m a="x y=1" b="" c="say \\"no\\""$/,
    );
  });

  test('is one line without control characters, whatever it is given', () => {
    const line = logLine(time, 'error', 'a\nb\u001b[31m\u0085', { key: 'c\r\n\u2028d', other: '\u007f' });
    expect(line).not.toMatch(/[\p{Cc}\u2028\u2029]/u);
    expect(line).toContain('a\\nb\\u001b[31m\\u0085');
  });
});

describe('the log', () => {
  test('is written to updater.log and to stdout, flushed when it is closed', async () => {
    const folder = join(await temporaryFolder(), 'work', 'logs');
    const { exitCode, stdout, stderr } = await writeLog(folder, 3);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    const lines = await linesOf(join(folder, 'updater.log'));
    expect(lines.map((line) => line.slice(25))).toEqual([
      'INFO  line number=0',
      'INFO  line number=1',
      'INFO  line number=2',
      'WARN  last but one',
      'ERROR last',
    ]);
    expect(lines.every((line) => LINE.test(line))).toBe(true);
    expect(stdout.split('\n').slice(0, 5)).toEqual(lines);
    expect(stdout).toContain('INFO  after the end');
  });

  test('begins a new file at its size, keeps three, and links to the newest', async () => {
    const folder = join(await temporaryFolder(), 'logs');
    const { exitCode } = await writeLog(folder, 120, 1024);
    expect(exitCode).toBe(0);
    const parts = await partsIn(folder);
    expect(parts).toHaveLength(3);
    expect(parts).toContain(await readlink(join(folder, 'updater.log')));
    expect((await linesOf(join(folder, 'updater.log'))).at(-1)).toMatch(/ERROR last$/);
    for (const part of parts) expect((await stat(join(folder, part))).size).toBeLessThan(1024 + 200);
  });

  test('goes on in the newest file after a restart', async () => {
    const folder = join(await temporaryFolder(), 'logs');
    await writeLog(folder, 40, 1024);
    const before = await readlink(join(folder, 'updater.log'));
    await writeLog(folder, 0, 1024);
    expect(await readlink(join(folder, 'updater.log'))).toBe(before);
    expect(
      (await linesOf(join(folder, 'updater.log'))).filter((line) => line.endsWith('ERROR last')),
    ).toHaveLength(2);
  });

  test.each([
    ['is empty', ''],
    ['is null', 'null'],
  ])('never has more than three files though its audit file %s', async (_, audit) => {
    const folder = join(await temporaryFolder(), 'logs');
    await writeLog(folder, 80, 1024);
    await writeFile(join(folder, AUDIT), audit);
    const { exitCode, stderr } = await writeLog(folder, 80, 1024);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect((await linesOf(join(folder, 'updater.log'))).at(-1)).toMatch(/ERROR last$/);
    await writeLog(folder);
    expect((await partsIn(folder)).length).toBeLessThanOrEqual(3);
  });

  test.each([
    ['is no JSON', '{"keep":'],
    ['has another shape', '{"auditLog":"FOLDER/.updater-rotation.json","files":7}'],
    ['has other entries', '{"auditLog":"FOLDER/.updater-rotation.json","files":[null]}'],
    ['counts files of another folder', '{"auditLog":"/elsewhere/.updater-rotation.json","files":[]}'],
    ['counts files of another kind', `{"auditLog":"FOLDER/.updater-rotation.json","files":[${OTHER_FILE}]}`],
  ])('does not trust an audit file that %s', async (_, audit) => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, AUDIT), audit.replaceAll('FOLDER', folder));
    for (const [index, part] of ['', '.1', '.2', '.3'].entries()) {
      await writeFile(join(folder, `updater-part${part}.log`), '');
      await utimes(join(folder, `updater-part${part}.log`), index, index);
    }
    await writeFile(join(folder, 'history.jsonl'), '');
    await tidyLogFiles(folder);
    expect((await readdir(folder)).sort()).toEqual([
      'history.jsonl',
      'updater-part.1.log',
      'updater-part.2.log',
      'updater-part.3.log',
    ]);
  });

  test.each<[string, (folder: string) => Promise<unknown>]>([
    ['the disk is full', (folder) => symlink('/dev/full', join(folder, 'updater-part.log'))],
    ['its file is a folder', (folder) => mkdir(join(folder, 'updater-part.log'))],
    ['its audit file is a folder', (folder) => mkdir(join(folder, AUDIT))],
  ])('goes on on stdout, with one line on stderr, where %s', async (_, spoil) => {
    const folder = await temporaryFolder();
    await spoil(folder);
    const { exitCode, stdout, stderr } = await writeLog(folder, 20);
    expect(exitCode).toBe(0);
    expect(stdout.trimEnd().split('\n')).toHaveLength(23);
    expect(stderr).toMatch(/^tope-updater: no log is written to .+ any more: .+\n$/);
  });

  test('goes on on stdout where its folder cannot be made', async () => {
    const file = join(await temporaryFolder(), 'file');
    await writeFile(file, '');
    const { exitCode, stdout, stderr } = await writeLog(join(file, 'logs'), 2);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('ERROR last');
    expect(stderr.split('\n')).toHaveLength(2);
  });

  test('goes on on stdout when its folder is taken away while it is written', async () => {
    const work = join(await temporaryFolder(), 'work');
    const child = startNode(WRITER, [join(work, 'logs'), '400', '1024']);
    const ending = endingOf(child);
    const second = join(work, 'logs', 'updater-part.1.log');
    await until(`${second} is there`, () => existsSync(second));
    child.kill('SIGSTOP');
    await rename(work, `${work}.away`);
    await writeFile(work, 'no folder');
    child.kill('SIGCONT');
    const { exitCode, stdout, stderr } = await ending;
    expect(exitCode).toBe(0);
    expect(stdout.trimEnd().split('\n')).toHaveLength(403);
    expect(stderr).toMatch(/^tope-updater: no log is written to .+ any more: ENOTDIR.+\n$/);
  });

  test('goes on in its file when nobody reads stdout any more', async () => {
    const folder = await temporaryFolder();
    const child = startNode(WRITER, [folder, '20']);
    child.stdout?.destroy();
    expect(await once(child, 'exit')).toEqual([0, null]);
    expect(await linesOf(join(folder, 'updater.log'))).toHaveLength(22);
  });

  test('gives each line its priority where stdout is the journal, and only there', async () => {
    const folder = await temporaryFolder();
    const journal = await open(join(folder, 'journal'), 'w');
    try {
      const { dev, ino } = await journal.stat();
      const stdio = ['ignore', journal.fd, 'inherit'] as const;
      const run = (stream: string) =>
        runNode(WRITER, [join(folder, 'logs')], { JOURNAL_STREAM: stream }, [...stdio]);
      await run(`${dev}:${ino}`);
      await run(`${dev}:${ino + 1}`);
    } finally {
      await journal.close();
    }
    const starts = (await linesOf(join(folder, 'journal'))).map((line) => line.slice(0, 3));
    expect(starts).toEqual(['<4>', '<3>', '<6>', '202', '202', '202']);
    expect((await linesOf(join(folder, 'logs', 'updater.log')))[0]).toMatch(LINE);
  });
});
