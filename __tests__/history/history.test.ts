import { appendFile, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { HistoryRow } from '../../machines/views.js';
import { appendHistory, HISTORY_LIMITS, readHistory } from '../../services/history/history.js';
import { watchSteps, type StepMoment } from '../../services/steps.js';
import { temporaryFolder } from '../support/temporary-folder.js';

async function historyFile(): Promise<string> {
  return join(await temporaryFolder(), 'logs', 'history.jsonl');
}

async function withRows(path: string, rows: readonly HistoryRow[]): Promise<void> {
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
}

afterEach(() => watchSteps(null));

describe('the history', () => {
  test('is empty before the first order', async () => {
    expect(await readHistory(await historyFile())).toEqual([]);
  });

  test('tells the orders in their order, each on a line of its own', async () => {
    const path = await historyFile();
    await appendHistory(path, { version: '1.0.0', message: 'two\nlines' });
    await appendHistory(path, { version: '1.1.0' });
    expect(await readHistory(path)).toEqual([
      { version: '1.0.0', message: 'two\nlines' },
      { version: '1.1.0' },
    ]);
    expect((await readFile(path, 'utf8')).split('\n')).toHaveLength(3);
  });

  test('leaves out a line that a power cut tore, and the next row is not lost to it', async () => {
    const path = await historyFile();
    await withRows(path, [{ n: 1 }]);
    await appendFile(path, '{"n":2,"vers');
    expect(await readHistory(path)).toEqual([{ n: 1 }]);
    await appendHistory(path, { n: 3 });
    await appendHistory(path, { n: 4 });
    expect(await readHistory(path)).toEqual([{ n: 1 }, { n: 3 }, { n: 4 }]);
  });

  test('leaves out lines that are no rows', async () => {
    const path = await historyFile();
    await withRows(path, [{ n: 1 }]);
    await appendFile(path, '\n\u0000\u0000\n[1]\nnull\n7\n');
    await appendHistory(path, { n: 2 });
    expect(await readHistory(path)).toEqual([{ n: 1 }, { n: 2 }]);
  });

  test('keeps the newest half when it has as many rows as it may', async () => {
    const path = await historyFile();
    await withRows(
      path,
      Array.from({ length: HISTORY_LIMITS.rows }, (_, n) => ({ n })),
    );
    await appendHistory(path, { n: 'newest' });
    const rows = await readHistory(path);
    expect(rows).toHaveLength(HISTORY_LIMITS.rows / 2 + 1);
    expect([rows.at(0), rows.at(-2), rows.at(-1)]).toEqual([{ n: 100 }, { n: 199 }, { n: 'newest' }]);
  });

  test('never grows over its limit of bytes, and keeps the newest', async () => {
    const path = await historyFile();
    const message = 'é'.repeat(10_000);
    for (let n = 0; n < 30; n++) await appendHistory(path, { n, message });
    expect((await stat(path)).size).toBeLessThanOrEqual(HISTORY_LIMITS.bytes);
    const rows = await readHistory(path);
    expect(rows.length).toBeGreaterThan(5);
    expect(rows.at(-1)).toEqual({ n: 29, message });
  });

  test('has every change as a step that a process can be killed at', async () => {
    const path = await historyFile();
    const moments: StepMoment[] = [];
    watchSteps((name, moment) => {
      expect(name).toBe('history.append');
      moments.push(moment);
    });
    await appendHistory(path, { n: 1 });
    expect(moments.filter((moment) => moment === 'after')).toHaveLength(4);
  });

  test('says why a row could not be written, and what was there stays', async () => {
    const path = await historyFile();
    await withRows(path, [{ n: 1 }]);
    const broken = join(path, 'below-a-file', 'history.jsonl');
    await expect(appendHistory(broken, { n: 2 })).rejects.toThrow(/ENOTDIR|EEXIST/);
    expect(await readHistory(path)).toEqual([{ n: 1 }]);
  });
});
