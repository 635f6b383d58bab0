import { wordsOf } from '../../machines/errors.js';
import { printable } from '../../services/log/log-line.js';

/** One thing that the doctor has looked at. A note is worth knowing; a fault needs somebody to do something. */
export interface Finding {
  about: string;
  verdict: 'ok' | 'note' | 'fault';
  words: string;
  /** What to do about it; null where there is nothing to do. */
  remedy: string | null;
}

/** A thing that is as it should be. */
export function ok(about: string, words: string): Finding {
  return { about, verdict: 'ok', words, remedy: null };
}

/** A thing that is worth knowing, with what one could do about it. */
export function note(about: string, words: string, remedy: string | null = null): Finding {
  return { about, verdict: 'note', words, remedy };
}

/** A thing that somebody has to mend, and how. */
export function fault(about: string, words: string, remedy: string): Finding {
  return { about, verdict: 'fault', words, remedy };
}

/** A finding as one line. */
export function lineOf({ about, verdict, words, remedy }: Finding): string {
  const told = remedy === null ? words : `${words} → ${remedy}`;
  return `${(verdict === 'fault' ? 'FAULT' : verdict).padEnd(6)}${about.padEnd(11)}${printable(told)}`;
}

/** The findings of a check; one that could not look says so. */
export async function findingsOf(about: string, check: () => Promise<Finding[]>): Promise<Finding[]> {
  try {
    return await check();
  } catch (error) {
    const why = wordsOf(error);
    return [fault(about, why, 'call the doctor as the user that the updater runs as (root)')];
  }
}
