import { fstatSync } from 'node:fs';
import type { LogLevel } from './log-line.js';

/** Priorities of sd-daemon(3), which the journal takes from the front of each line. */
const PRIORITIES: Readonly<Record<LogLevel, string>> = {
  error: '<3>',
  warn: '<4>',
  info: '<6>',
  debug: '<7>',
};

/** Whether a file descriptor leads to systemd's journal: JOURNAL_STREAM of systemd.exec(5) names its device and inode. */
export function leadsToJournal(fd: number, journalStream: string | undefined): boolean {
  if (journalStream === undefined) return false;
  const { dev, ino } = fstatSync(fd, { bigint: true });
  return journalStream === `${dev.toString()}:${ino.toString()}`;
}

/** A line with the priority that the journal shall file it under. */
export function withPriority(level: LogLevel, line: string): string {
  return PRIORITIES[level] + line;
}
