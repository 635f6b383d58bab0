import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { howProgramEnded, runProgram, shellCommand } from '../../services/programs/run-program.js';
import { readProcess } from '../../services/service-control/proc.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { until } from '../support/until.js';

const manager = 'none';

describe('runProgram', () => {
  test('gives what the program wrote to both streams, and its exit status', async () => {
    const line = 'echo out; echo bad >&2; pwd; exit 3';
    expect(await runProgram(shellCommand(line), { manager, timeoutMs: 5000 })).toEqual({
      exitCode: 3,
      endedBy: null,
      timedOut: false,
      output: 'out\nbad\n/\n',
    });
  });

  test('passes arguments as they are', async () => {
    const args = ['a b', '$HOME', '"', '*', ''];
    const { output } = await runProgram(['/usr/bin/printf', '<%s>', ...args], { manager, timeoutMs: 5000 });
    expect(output).toBe('<a b><$HOME><"><*><>');
  });

  test('keeps only the end of a long output', async () => {
    const line = 'i=0; while [ $i -lt 3000 ]; do echo "line $i"; i=$((i+1)); done';
    const { output } = await runProgram(shellCommand(line), { manager, timeoutMs: 5000 });
    expect(Buffer.byteLength(output)).toBe(4096);
    expect(output).toMatch(/line 2999\n$/);
    const short = await runProgram(shellCommand(line), { manager, timeoutMs: 5000, outputBytes: 10 });
    expect(short.output).toBe('line 2999\n');
  });

  test('can leave out what is written to stderr', async () => {
    const options = { manager, timeoutMs: 5000, keepStderr: false } as const;
    expect((await runProgram(shellCommand('echo bad >&2; echo good'), options)).output).toBe('good\n');
  });

  test('ends a program, and everything it has started, when its time is up [P-18]', async () => {
    const pidFile = join(await temporaryFolder(), 'pid');
    const began = performance.now();
    const line = `sleep 1000 & echo $! > ${pidFile}; echo begun; trap "" TERM; wait; sleep 1000`;
    const result = await runProgram(shellCommand(line), { manager, timeoutMs: 300 });
    expect(result).toEqual({ exitCode: null, endedBy: 'KILL', timedOut: true, output: 'begun\n' });
    expect(performance.now() - began).toBeLessThan(2000);
    const child = Number(await readFile(pidFile, 'utf8'));
    await until('the child is gone', async () => (await readProcess(child)) === null);
  });

  test.each([
    ['when its time is up', 'sleep 1000', true],
    ['when it has ended', 'exit 0', false],
  ])(
    'ends grandchildren in sessions of their own, which have closed their output, %s',
    async (_, last, timedOut) => {
      const pidFile = join(await temporaryFolder(), 'pid');
      const daemon = `setsid sh -c 'setsid sleep 1000 & echo $! > ${pidFile}; wait' > /dev/null 2>&1 < /dev/null &`;
      const line = `${daemon} while [ ! -s ${pidFile} ]; do sleep 0.01; done; ${last}`;
      const result = await runProgram(shellCommand(line), { manager, timeoutMs: timedOut ? 1500 : 30_000 });
      expect(result.timedOut).toBe(timedOut);
      const grandchild = Number(await readFile(pidFile, 'utf8'));
      expect(grandchild).toBeGreaterThan(1);
      await until('the grandchild is gone', async () => (await readProcess(grandchild)) === null);
    },
  );

  test('does not keep a flood of output in memory', async () => {
    const before = process.memoryUsage().rss;
    const line = 'head -c 200000000 /dev/zero';
    const { exitCode, output } = await runProgram(shellCommand(line), { manager, timeoutMs: 60_000 });
    expect([exitCode, output.length]).toEqual([0, 4096]);
    expect(process.memoryUsage().rss - before).toBeLessThan(100_000_000);
  });

  test('does not wait for what a program leaves in the background, and ends it', async () => {
    const pidFile = join(await temporaryFolder(), 'pid');
    const line = `sleep 1000 & echo $! > ${pidFile}`;
    expect((await runProgram(shellCommand(line), { manager, timeoutMs: 5000 })).exitCode).toBe(0);
    const child = Number(await readFile(pidFile, 'utf8'));
    await until('the child is gone', async () => (await readProcess(child)) === null);
  });

  test('ends a program when the signal is aborted, and does not begin after that', async () => {
    const signal = AbortSignal.timeout(100);
    const result = await runProgram(['/bin/sleep', '1000'], { manager, timeoutMs: 60_000, signal });
    expect(result).toMatchObject({ endedBy: 'KILL', timedOut: false });
    const late = runProgram(['/bin/sleep', '1000'], { manager, timeoutMs: 60_000, signal });
    await expect(late).rejects.toMatchObject({ code: 'CANCELLED' });
  });

  test('tells a program that is not there, or cannot be run, as a shell does', async () => {
    const file = join(await temporaryFolder(), 'file');
    await writeFile(file, 'text');
    await chmod(file, 0o644);
    expect(await runProgram(['/no/such'], { manager, timeoutMs: 5000 })).toMatchObject({ exitCode: 127 });
    expect(await runProgram([file], { manager, timeoutMs: 5000 })).toMatchObject({ exitCode: 126 });
  });
});

describe('howProgramEnded', () => {
  const result = { exitCode: 1, endedBy: null, timedOut: false, output: '' };

  test('says exit status or signal, and the last line of the output', () => {
    expect(howProgramEnded({ ...result, output: 'one\nno such printer\n' })).toBe(
      'exited 1 (no such printer)',
    );
    expect(howProgramEnded({ ...result, exitCode: null, endedBy: 'SEGV' })).toBe('was ended by SEGV');
    expect(howProgramEnded({ ...result, timedOut: true })).toBe('did not end in time');
  });
});
