import { execFileSync } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { serve } from '../../scripts/serve.js';
import { openSupervisedServices } from '../../scripts/demo/supervised-services.js';
import { isSystemError } from '../../services/disk.js';
import type { Log } from '../../services/log/log.js';
import { readConfiguration } from '../../services/configuration/read-configuration.js';
import { openRotatingLog } from '../../services/log/rotating-log.js';
import { watchSteps } from '../../services/steps.js';
import { textOf } from './json-fields.js';

/**
 * The updater as it is, with the services of the supervisor that listens on the socket SUPERVISOR, and a disk that fails
 * it as the file TROUBLE says at that time: `at` is the step before which it happens, `in` the state (for a save: the one
 * that is saved), `fill` a folder whose file system is full from then on, `freeze` a mount that becomes read-only, `again`
 * lets it happen at each later step of that name too.
 */

/** Quicker than on a device: the services of the tests start and stop within a moment. */
const TIMING = { pollMs: 10, killAfterMs: 2000, giveUpMs: 2000, startTimeoutMs: 3000 };
/** Less than on a device: the disks of the tests are small. */
const RESERVE_BYTES = 64 * 1024;

export const FILLER = 'filler';

let state = '';
let hasHappened = false;

function meetTrouble(step: string): void {
  const path = process.env['TROUBLE'] ?? '';
  if (!existsSync(path)) {
    hasHappened = false;
    return;
  }
  const trouble: unknown = JSON.parse(readFileSync(path, 'utf8'));
  if (textOf(trouble, 'at') !== step) return;
  const isAgain = hasHappened && textOf(trouble, 'again') !== '';
  const isNow = !hasHappened && ['', state].includes(textOf(trouble, 'in'));
  if (!isAgain && !isNow) return;
  hasHappened = true;
  if (textOf(trouble, 'fill') !== '') fill(textOf(trouble, 'fill'));
  else execFileSync('mount', ['-o', 'remount,bind,ro', textOf(trouble, 'freeze')]);
}

/** Takes the last byte that a file system has. */
function fill(folder: string): void {
  const file = openSync(join(folder, FILLER), 'a');
  try {
    for (const size of [65_536, 4096, 1]) {
      const bytes = Buffer.alloc(size);
      try {
        for (;;) writeSync(file, bytes);
      } catch (error) {
        if (!isSystemError(error, 'ENOSPC')) throw error;
      }
    }
  } finally {
    closeSync(file);
  }
}

/** A transition is logged in the moment in which the save of its state is queued. */
function watching(log: Log): Log {
  return {
    debug: (...line) => log.debug(...line),
    warn: (...line) => log.warn(...line),
    error: (...line) => log.error(...line),
    info: (message, fields) => {
      if (message === 'transition') state = textOf(fields, 'to');
      log.info(message, fields);
    },
  };
}

async function run(): Promise<number> {
  const { configuration } = await readConfiguration(process.env);
  const { workDir, logLevel } = configuration;
  const log = await openRotatingLog({ folder: join(workDir, 'logs'), level: logLevel });
  watchSteps((name, moment) => {
    if (moment === 'before') meetTrouble(name);
  });
  try {
    const control = openSupervisedServices(process.env['SUPERVISOR'] ?? '');
    const parts = { log: watching(log), control, timing: TIMING, reserveBytes: RESERVE_BYTES };
    return await serve(configuration, parts);
  } finally {
    await log.close();
  }
}

process.exitCode = await run();
