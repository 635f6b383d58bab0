import { readdir, readlink, realpath } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { isSystemError } from '../disk.js';
import { aFewAtOnce } from '../a-few-at-once.js';
import { readProcFile } from './read-proc-file.js';

/** A process, told so that another one that gets the same pid later is not taken for it. */
export interface ProcessId {
  pid: number;
  /** Clock ticks from the boot to the process's start: field 22 of /proc/PID/stat, see proc(5). */
  startTime: string;
}

export interface ProcessFacts extends ProcessId {
  parentPid: number;
  name: string;
}

const DELETED = ' (deleted)';
const INTERPRETERS =
  /^(?:python|pypy|node|nodejs|deno|bun|perl|ruby|lua|luajit|php|java|tclsh|sh|bash|dash|ash|ksh|mksh|zsh)[\d.-]*$/;

/** The pids of all processes. */
async function listPids(): Promise<number[]> {
  const names = await readdir('/proc');
  return names.filter((name) => /^\d+$/.test(name)).map(Number);
}

/** What /proc says of a process; null where there is none, or where it has ended and only waits to be reaped. */
export async function readProcess(pid: number): Promise<ProcessFacts | null> {
  const stat = await unlessGone(() => readProcFile(`/proc/${pid}/stat`));
  if (stat === null) return null;
  // The name stands in parentheses and may itself hold spaces and parentheses.
  const end = stat.lastIndexOf(')');
  const [state = '', parentPid = '', ...rest] = stat.slice(end + 2).split(' ');
  if (state === 'Z' || state === 'X') return null;
  const name = stat.slice(stat.indexOf('(') + 1, end);
  return { pid, startTime: rest[17] ?? '', parentPid: Number(parentPid), name };
}

/** All processes that have not ended. */
export async function readProcesses(): Promise<ProcessFacts[]> {
  const found: ProcessFacts[] = [];
  await aFewAtOnce(await listPids(), async (pid) => {
    const process = await readProcess(pid);
    if (process !== null) found.push(process);
  });
  return found.sort((a, b) => a.pid - b.pid);
}

/** Whether exactly this process is still there. */
export async function isAlive({ pid, startTime }: ProcessId): Promise<boolean> {
  return (await readProcess(pid))?.startTime === startTime;
}

/** Sends a signal to exactly this process; false where it has ended (its pid may belong to another one by now). */
export async function signalProcess(id: ProcessId, signal: NodeJS.Signals): Promise<boolean> {
  if (!(await isAlive(id))) return false;
  try {
    return process.kill(id.pid, signal);
  } catch (error) {
    if (isSystemError(error, 'ESRCH')) return false;
    throw error;
  }
}

/**
 * The real path of the program that a process runs, also where its file was replaced meanwhile. Null for kernel threads
 * and for processes that may not be looked at.
 */
export async function exeOf(pid: number): Promise<string | null> {
  const path = await unlessGone(() => readlink(`/proc/${pid}/exe`));
  return path === null ? null : withoutDeleted(path);
}

/** The real path of the script that a process interprets; null where its program is no interpreter. */
export async function scriptOf(pid: number, exe: string): Promise<string | null> {
  const commandLine = await unlessGone(() => readProcFile(`/proc/${pid}/cmdline`));
  const [program = '', ...args] = (commandLine ?? '').split('\0').slice(0, -1);
  const interpreter = basename(exe) === 'busybox' ? basename(program) : basename(exe);
  if (!INTERPRETERS.test(interpreter)) return null;
  const folder = await unlessGone(() => readlink(`/proc/${pid}/cwd`));
  for (const arg of args) {
    // What follows -c is the program itself, and then come its arguments.
    if (/^-[a-z]*c$/.test(arg)) return null;
    if (arg === '' || arg.startsWith('-')) continue;
    const path = await unlessGone(() => realpath(resolve(folder ?? '/', arg)));
    if (path !== null) return path;
  }
  return null;
}

/** The paths of the files that a process has mapped, its program and libraries among them. */
export async function mappedFilesOf(pid: number): Promise<Set<string>> {
  const maps = (await unlessGone(() => readProcFile(`/proc/${pid}/maps`))) ?? '';
  const files = new Set<string>();
  for (const line of maps.split('\n')) {
    const start = line.indexOf('/');
    if (start !== -1) files.add(withoutDeleted(line.slice(start)));
  }
  return files;
}

/** What a read of /proc answers; null where the process is gone or may not be looked at, or a file is missing. */
export async function unlessGone<Result>(read: () => Promise<Result>): Promise<Result | null> {
  try {
    return await read();
  } catch (error) {
    if (
      isSystemError(error, 'ENOENT', 'ESRCH', 'EACCES', 'EPERM', 'ENOTDIR', 'EINVAL', 'ENAMETOOLONG', 'ELOOP')
    )
      return null;
    throw error;
  }
}

function withoutDeleted(path: string): string {
  return path.endsWith(DELETED) ? path.slice(0, -DELETED.length) : path;
}
