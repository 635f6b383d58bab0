import { constants } from 'node:fs';
import { dirname } from 'node:path';
import type { HistoryRow } from '../../machines/views.js';
import { makeFolders, openForWriting, readText, syncFile, syncFolder, writeDurably } from '../disk.js';
import { isJsonObject } from '../json-object.js';

/** Above either of these the older half goes. */
export const HISTORY_LIMITS = { rows: 200, bytes: 256 * 1024 } as const;

/**
 * The rows of a history file, oldest first; none where there is no file. Of rows with one `id` the newest counts, in the
 * place of the first. A line that a power cut tore is left out.
 */
export async function readHistory(path: string): Promise<HistoryRow[]> {
  return rowsOf((await readText(path)) ?? '');
}

/**
 * Adds a row and answers when it is durable. One call at a time for a file. Rejects with node's error (ENOSPC, EROFS,
 * …), what was there before still readable.
 */
export async function appendHistory(path: string, row: HistoryRow): Promise<void> {
  const text = await readText(path);
  const line = `${JSON.stringify(row)}\n`;
  if (text === null) await makeFolders('history.append', dirname(path), 0o755);
  const rows = rowsOf(text ?? '');
  const bytes = Buffer.byteLength(text ?? '') + Buffer.byteLength(line);
  if (rows.length >= HISTORY_LIMITS.rows || bytes > HISTORY_LIMITS.bytes)
    return writeDurably('history.append', path, newestHalf(rows) + line);
  // A torn last line gets an end, so that it takes no other with it.
  await append(path, text === null || text === '' || text.endsWith('\n') ? line : `\n${line}`);
  if (text === null) await syncFolder('history.append', dirname(path));
}

async function append(path: string, line: string): Promise<void> {
  const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT;
  const file = await openForWriting('history.append', path, flags, 0o644);
  try {
    await file.writeFile(line);
    await syncFile('history.append', file);
  } finally {
    await file.close();
  }
}

function newestHalf(rows: readonly HistoryRow[]): string {
  let kept = '';
  for (const row of rows.slice(-HISTORY_LIMITS.rows / 2).reverse()) {
    const line = `${JSON.stringify(row)}\n`;
    if (Buffer.byteLength(kept) + Buffer.byteLength(line) > HISTORY_LIMITS.bytes / 2) break;
    kept = line + kept;
  }
  return kept;
}

function rowsOf(text: string): HistoryRow[] {
  const rows = new Map<unknown, HistoryRow>();
  for (const [number, line] of text.split('\n').entries()) {
    const row = rowIn(line);
    if (row !== null) rows.set(row['id'] ?? `line ${number}`, row);
  }
  return [...rows.values()];
}

function rowIn(line: string): HistoryRow | null {
  try {
    const row: unknown = JSON.parse(line);
    return isJsonObject(row) ? { ...row } : null;
  } catch {
    return null;
  }
}
