import { join } from 'node:path';
import { ERRORS } from '../../machines/errors.js';
import { readHistory } from '../../services/history/history.js';
import { note, ok, type Finding } from './finding.js';

/** How the last order ended, from the history on disk: it is there although the updater is not. */
export async function checkLastOrder(workDir: string): Promise<Finding[]> {
  const last = (await readHistory(join(workDir, 'logs', 'history.jsonl'))).at(-1);
  if (last === undefined) return [ok('last order', 'none was given yet')];
  const { time, order, to, outcome, error } = last;
  const words = [time, order, 'to', to].map((word) => (typeof word === 'string' ? word : '?')).join(' ');
  if (typeof error !== 'string')
    return [ok('last order', `${words}: ${typeof outcome === 'string' ? outcome : 'under way'}`)];
  return [note('last order', `${words}: ${error}`, remedyOf(error))];
}

function remedyOf(error: string): string {
  const known = Object.entries(ERRORS).find(([code]) => error.startsWith(`${code}:`));
  return known?.[1].remedy ?? 'see docs/errors.md';
}
