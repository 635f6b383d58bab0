import type { LogFields } from './log.js';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

// C0 and C1 controls (an escape sequence would drive the reader's terminal) and Unicode's own line ends.
const UNPRINTABLE = /[\p{Cc}\u2028\u2029]/gu;
const SHORT_ESCAPES: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/**
 * One line of the log without its end: `2026-01-01T00:00:00.000Z INFO  message key=value`. A value with a space, a
 * quote or an equals sign in it is quoted; characters that end a line or are not printable are escaped.
 */
export function logLine(time: Date, level: LogLevel, message: string, fields: LogFields = {}): string {
  const words = Object.entries(fields).map(([key, value]) => `${key}=${fieldValue(value)}`);
  return printable([time.toISOString(), level.toUpperCase().padEnd(5), message, ...words].join(' '));
}

function fieldValue(value: LogFields[string]): string {
  if (typeof value !== 'string') return String(value);
  return /^[^\s"=\\]+$/u.test(value) ? value : JSON.stringify(value);
}

/** A text in which characters that end a line, or that a terminal would obey, are escaped. */
export function printable(text: string): string {
  return text.replace(
    UNPRINTABLE,
    (character) =>
      SHORT_ESCAPES[character] ?? `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`,
  );
}
