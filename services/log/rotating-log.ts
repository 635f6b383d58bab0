import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'winston';
import { wordsOf } from '../../machines/errors.js';
import { leadsToJournal, withPriority } from './journal-stream.js';
import { LOG_FILES, tidyLogFiles } from './log-files.js';
import { logLine, type LogLevel } from './log-line.js';
import type { Log, LogFields } from './log.js';

/** A log that has to be closed so that its last lines are written. */
export interface ClosableLog extends Log {
  /** Answers when what was logged is written, after 2 s at most; never rejects. Later lines reach stdout only. */
  close(): Promise<void>;
}

export interface LogPlace {
  /** Folder of the files; made if it is missing. */
  folder: string;
  /** Less important lines are left out. */
  level: LogLevel;
  /** Size from which on a new file is begun. */
  maxBytes?: number;
}

/** The files of a log: a transport for winston, and how to flush it. */
type Files = Awaited<ReturnType<typeof openFiles>>;

const LEVELS: Readonly<Record<LogLevel, number>> = { error: 0, warn: 1, info: 2, debug: 3 };
const CLOSE_WITHIN_MS = 2000;

/**
 * Opens the log of the service: files of 10 MB in the folder, three of which are kept and the newest of which is linked
 * as `updater.log`, and the same lines on stdout, with sd-daemon priorities where that is the journal. Files that
 * cannot be written never stop the service: one line on stderr says so, and stdout alone goes on. Never rejects.
 */
export async function openRotatingLog({ folder, level, maxBytes }: LogPlace): Promise<ClosableLog> {
  const { createLogger, format, transports } = await import('winston');
  const toJournal = leadsToJournal(1, process.env['JOURNAL_STREAM']);
  const onStdout = (lineLevel: string, line: string) =>
    toJournal && isLevel(lineLevel) ? withPriority(lineLevel, line) : line;
  const toStdout = new transports.Stream({
    stream: process.stdout,
    eol: '\n',
    format: format.printf(({ level: lineLevel, message }) => onStdout(lineLevel, String(message))),
  });
  const logger = createLogger({
    levels: LEVELS,
    level,
    format: format.printf(({ message }) => String(message)),
    transports: [toStdout],
  });
  process.stdout.on('error', () => logger.remove(toStdout));

  const files = await addFiles(logger, folder, maxBytes ?? LOG_FILES.maxBytes);
  let closed = false;
  const write = (lineLevel: LogLevel, message: string, fields?: LogFields) => {
    const line = logLine(new Date(), lineLevel, message, fields);
    if (closed) process.stdout.write(`${onStdout(lineLevel, line)}\n`);
    else logger.log(lineLevel, line);
  };
  return {
    debug: (message, fields) => write('debug', message, fields),
    info: (message, fields) => write('info', message, fields),
    warn: (message, fields) => write('warn', message, fields),
    error: (message, fields) => write('error', message, fields),
    close: async () => {
      if (closed) return;
      closed = true;
      await Promise.race([flush(logger, files), sleep(CLOSE_WITHIN_MS, undefined, { ref: false })]);
    },
  };
}

function isLevel(name: string): name is LogLevel {
  return Object.hasOwn(LEVELS, name);
}

/** Lets a logger write to files too, until they fail for the first time. */
async function addFiles(logger: Logger, folder: string, maxBytes: number): Promise<Files | null> {
  let failed = false;
  const fail = (error: unknown): void => {
    if (failed) return;
    failed = true;
    const reason = wordsOf(error);
    process.stderr.write(`tope-updater: no log is written to ${folder} any more: ${reason}\n`);
  };
  process.stderr.on('error', () => {
    // There is no place left to say it.
  });
  try {
    const files = await openFiles(folder, maxBytes, (error) => {
      fail(error);
      logger.remove(files.transport);
    });
    logger.add(files.transport);
    return files;
  } catch (error) {
    fail(error);
    return null;
  }
}

async function openFiles(folder: string, maxBytes: number, onError: (error: unknown) => void) {
  await tidyLogFiles(folder);
  const { default: DailyRotateFile } = await import('winston-daily-rotate-file');

  class Files extends DailyRotateFile {
    /** Beginning a new file throws where its folder is gone; out of a stream that would end the process. */
    override log(info: unknown, next: () => void): void {
      try {
        super.log?.(info, next);
      } catch (error) {
        onError(error);
        next();
      }
    }
  }

  const transport = new Files({
    dirname: folder,
    filename: '%DATE%',
    // A pattern without a date in it, see LOG_FILES.
    datePattern: `[${LOG_FILES.prefix}]`,
    extension: '.log',
    maxSize: maxBytes,
    maxFiles: LOG_FILES.kept,
    auditFile: join(folder, LOG_FILES.audit),
    createSymlink: true,
    symlinkName: LOG_FILES.link,
    eol: '\n',
  });
  transport.logStream.on('error', onError);
  return {
    transport,
    flush: () => new Promise<void>((resolve) => transport.logStream.end(() => resolve())),
  };
}

async function flush(logger: Logger, files: Files | null): Promise<void> {
  const ended = once(logger, 'finish');
  logger.end();
  await ended;
  await files?.flush();
}
