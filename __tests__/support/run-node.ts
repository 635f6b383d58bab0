import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterEach } from '@jest/globals';

const running = new Set<ChildProcess>();

afterEach(() => {
  for (const child of running) child.kill('SIGKILL');
});

/** How a program ended and what it printed. */
export interface Ending {
  exitCode: number | null;
  stdout: string;
  stderr: string;
}

/** Starts a built file (its path from the project's root, without dist/) as a real process; it dies with the test. */
export function startNode(
  file: string,
  args: readonly string[] = [],
  environment: NodeJS.ProcessEnv = {},
  stdio: StdioOptions = 'pipe',
): ChildProcess {
  const path = fileURLToPath(new URL(`../../${file}`, import.meta.url));
  const child = spawn(process.execPath, [path, ...args], { env: { ...process.env, ...environment }, stdio });
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}

/** What a started program prints until it ends. */
export async function endingOf(child: ChildProcess): Promise<Ending> {
  const [stdout, stderr] = await Promise.all([
    child.stdout === null ? '' : text(child.stdout),
    child.stderr === null ? '' : text(child.stderr),
    child.exitCode === null && child.signalCode === null ? once(child, 'exit') : null,
  ]);
  return { exitCode: child.exitCode, stdout, stderr };
}

/** Runs a built file to its end. */
export function runNode(...how: Parameters<typeof startNode>): Promise<Ending> {
  return endingOf(startNode(...how));
}
