import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { UpdateError } from '../../machines/errors.js';
import { isSystemError } from '../disk.js';
import { endMarked, MARK_VARIABLE } from './marked-processes.js';
import type { ServiceManager } from '../service-control/open-service-control.js';
import { step } from '../steps.js';
import { Tail } from './tail.js';

export interface RunOptions {
  /** Under systemd the program is a transient unit: outside of the updater's memory limit and sandbox. */
  manager: ServiceManager;
  /** Ms after which the program and everything that it started get SIGKILL. */
  timeoutMs: number;
  /** Ends the program in the same way when it is aborted. */
  signal?: AbortSignal;
  /** Whether what it writes to stderr is kept too; true if absent. */
  keepStderr?: boolean;
  /** The most bytes of output that are kept: the last ones. 4 KiB if absent. */
  outputBytes?: number;
}

export interface ProgramResult {
  /** Null where it was ended by a signal. 126 and 127: it could not be run, as sh(1) tells it. */
  exitCode: number | null;
  /** `KILL`, `TERM`, …; null where it exited by itself. */
  endedBy: string | null;
  timedOut: boolean;
  /** The last bytes that it wrote, as text. */
  output: string;
}

const OUTPUT_BYTES = 4096;
/** By when a transient unit's own time limit ends it, should this process be gone by then. */
const BACKSTOP_MS = 1_000;
/** How long an ended program's pipes may stay open: something outside may hold them. */
const PIPES_MS = 500;
/** After how long a program that must end is ended once more. */
const AGAIN_MS = 300;

/** The arguments that run a command line by the shell. */
export function shellCommand(line: string): string[] {
  return ['/bin/sh', '-c', line];
}

/**
 * Runs a program as root in `/` until it ends, its time is up or the signal is aborted; nothing that it has started
 * outlives it (without systemd: nothing that has kept its process group or its environment; what does not end is told at
 * the end of the output). Its output is bounded, its input empty. Throws CANCELLED where the signal is aborted before it
 * begins, and an error with systemd's words where it refuses to run anything.
 */
export async function runProgram(argv: readonly string[], options: RunOptions): Promise<ProgramResult> {
  if (options.signal?.aborted === true) throw new UpdateError('CANCELLED', `${argv.join(' ')} was not run`);
  return step('program.run', () => (options.manager === 'systemd' ? runAsUnit : runAsGroup)(argv, options));
}

/** How a program failed and the last line that it said, for messages: `exited 1 (no such printer)`. */
export function howProgramEnded({ exitCode, endedBy, timedOut, output }: ProgramResult): string {
  const last = output.trim().split('\n').at(-1)?.slice(0, 200) ?? '';
  const words = last === '' ? '' : ` (${last})`;
  if (timedOut) return `did not end in time${words}`;
  return `${exitCode === null ? `was ended by ${String(endedBy)}` : `exited ${exitCode}`}${words}`;
}

/** Puts both streams into one, or drops stderr, so that systemd-run's own words stay apart. */
function joined(argv: readonly string[], { keepStderr = true }: RunOptions): [string, ...string[]] {
  return ['/bin/sh', '-c', `exec "$@" 2>${keepStderr ? '&1' : '/dev/null'}`, 'sh', ...argv];
}

async function runAsGroup(argv: readonly string[], options: RunOptions): Promise<ProgramResult> {
  const [program, ...args] = joined(argv, options);
  const mark = randomUUID();
  const env = { PATH: process.env['PATH'], LANG: 'C.UTF-8', [MARK_VARIABLE]: mark };
  const child = spawn(program, args, { cwd: '/', env, detached: true, stdio: ['ignore', 'pipe', 'ignore'] });
  const { tail, timedOut } = await watch(child, options, () => killGroupOf(child));
  killGroupOf(child);
  // What has made a group or session of its own.
  const left = await endMarked(mark);
  return {
    exitCode: child.exitCode,
    endedBy: child.signalCode?.replace('SIG', '') ?? null,
    timedOut,
    output: (await tail.text(PIPES_MS)) + leftInWords(left),
  };
}

/** Told at the end of the output, which is what is logged and shown of a program. */
function leftInWords(pids: readonly number[]): string {
  return pids.length === 0 ? '' : `\nprocesses that do not end: ${pids.join(', ')}`;
}

async function runAsUnit(argv: readonly string[], options: RunOptions): Promise<ProgramResult> {
  const unit = `tope-updater-run-${randomUUID()}.service`;
  const args = [
    ...['--collect', '--wait', '--pipe', `--unit=${unit}`, '--property=KillSignal=SIGKILL'],
    ...[`--property=RuntimeMaxSec=${options.timeoutMs + BACKSTOP_MS}ms`, '--'],
    // systemd expands $ in a unit's command line, see systemd.service(5); $$ stands for the character.
    ...joined(argv, options).map((argument) => argument.replaceAll('$', '$$$$')),
  ];
  const child = spawn('systemd-run', args, {
    env: { PATH: process.env['PATH'], LC_ALL: 'C', SYSTEMD_COLORS: '0', SYSTEMD_LOG_LEVEL: 'info' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const words = new Tail(child.stderr, OUTPUT_BYTES);
  const stop = () =>
    spawn('systemctl', ['stop', '--no-block', unit], { stdio: 'ignore' }).on('error', () => child.kill());
  const { tail, timedOut } = await watch(child, options, stop);
  const told = await words.text(PIPES_MS);
  const result = /Finished with result: ([\w-]+)/.exec(told)?.[1];
  if (result === undefined && !timedOut) throw new Error(`systemd-run ${argv.join(' ')}: ${told.trim()}`);
  const hasExited = result === 'success' || result === 'exit-code';
  return {
    exitCode: hasExited ? child.exitCode : null,
    endedBy: hasExited ? null : (/status=(?:\d+\/)?([A-Z]\w*)/.exec(told)?.[1] ?? 'KILL'),
    timedOut: timedOut || result === 'timeout',
    output: await tail.text(PIPES_MS),
  };
}

/** Waits for a child's end, and ends it where it must not go on. */
async function watch(
  child: ChildProcessByStdio<null, Readable, Readable | null>,
  { timeoutMs, signal, outputBytes = OUTPUT_BYTES }: RunOptions,
  end: () => unknown,
): Promise<{ tail: Tail; timedOut: boolean }> {
  const tail = new Tail(child.stdout, outputBytes);
  let timedOut = false;
  let asking: NodeJS.Timeout | undefined;
  const endUntilGone = () => {
    end();
    // The unit may not have been there yet.
    asking ??= setInterval(end, AGAIN_MS);
  };
  const timer = setTimeout(() => {
    timedOut = true;
    endUntilGone();
  }, timeoutMs);
  signal?.addEventListener('abort', endUntilGone, { once: true });
  try {
    await once(child, 'exit');
  } finally {
    clearTimeout(timer);
    clearInterval(asking);
    signal?.removeEventListener('abort', endUntilGone);
  }
  return { tail, timedOut };
}

function killGroupOf({ pid }: { pid?: number | undefined }): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    // Where the whole group has ended there is nothing left to do.
    if (!isSystemError(error, 'ESRCH')) throw error;
  }
}
