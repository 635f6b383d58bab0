import type { Log, LogFields } from '../../services/log/log.js';

/** A log that keeps its lines, as `level message key=value …`. */
export class RecordingLog implements Log {
  readonly lines: string[] = [];

  debug(message: string, fields?: LogFields): void {
    this.#keep('debug', message, fields);
  }

  info(message: string, fields?: LogFields): void {
    this.#keep('info', message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.#keep('warn', message, fields);
  }

  error(message: string, fields?: LogFields): void {
    this.#keep('error', message, fields);
  }

  #keep(level: string, message: string, fields: LogFields = {}): void {
    const pairs = Object.entries(fields).map(([key, value]) => `${key}=${String(value)}`);
    this.lines.push([level, message, ...pairs].join(' '));
  }
}
