import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { constants } from 'node:os';
import { afterEach } from '@jest/globals';
import { until } from './until.js';

const running = new Set<ChildProcess>();

afterEach(() => {
  for (const child of running) child.kill('SIGKILL');
});

export interface StartedProgram {
  readonly pid: number;
  readonly exitCode: number | null;
  readonly signalCode: NodeJS.Signals | null;
  readonly ended: Promise<unknown>;
}

/** Starts a real process that says nothing; it dies with the test. */
export function startProgram(program: string, ...args: string[]): StartedProgram {
  const child = spawn(program, args, { stdio: 'ignore' });
  running.add(child);
  const ended = once(child, 'exit').then(() => running.delete(child));
  return {
    pid: child.pid ?? 0,
    ended,
    get exitCode() {
      return child.exitCode;
    },
    get signalCode() {
      return child.signalCode;
    },
  };
}

/** Waits until a process has told the kernel that it ignores SIGTERM. */
export async function untilIgnoringSigterm(pid: number): Promise<void> {
  await until(`${pid} ignores SIGTERM`, async () => {
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    const ignored = BigInt(`0x${/^SigIgn:\s*(\w+)$/m.exec(status)?.[1] ?? '0'}`);
    return ((ignored >> BigInt(constants.signals.SIGTERM - 1)) & 1n) === 1n;
  });
}
