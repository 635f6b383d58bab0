import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, copyFile, mkdir, realpath, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { findFileUsers } from '../../services/service-control/file-users.js';
import {
  exeOf,
  isAlive,
  mappedFilesOf,
  readProcess,
  readProcesses,
  scriptOf,
  signalProcess,
} from '../../services/service-control/proc.js';
import { unitOfCgroup } from '../../services/service-control/unit-of-process.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { startProgram } from '../support/start-program.js';
import { until } from '../support/until.js';

describe('a process', () => {
  test('is told by pid and start time, whatever its name is', async () => {
    const folder = await temporaryFolder();
    const program = join(folder, 'a) S (b');
    await copyFile('/bin/sleep', program);
    const child = startProgram(program, '1000');
    const facts = await until('it runs', async () => {
      const now = await readProcess(child.pid);
      return now?.name === 'a) S (b' ? now : null;
    });
    expect(facts).toMatchObject({ pid: child.pid, parentPid: process.pid, name: 'a) S (b' });
    expect(facts.startTime).toMatch(/^\d+$/);
    expect((await readProcesses()).some(({ pid }) => pid === child.pid)).toBe(true);
  });

  test('is over when it is gone, and also while its parent has not reaped it', async () => {
    // The shell becomes a program that never waits for the shell's child.
    const parent = spawn('/bin/sh', ['-c', 'sleep 0.3 & echo $!; exec sleep 1000']);
    const pid = await new Promise<number>((resolve) => {
      parent.stdout.once('data', (line: Buffer) => resolve(Number(line)));
    });
    const child = await readProcess(pid);
    await until('the child has ended', async () => (await readProcess(pid)) === null);
    expect(child).not.toBeNull();
    parent.kill('SIGKILL');
    await once(parent, 'exit');
    expect(await readProcess(parent.pid ?? 0)).toBeNull();
  });

  test('gets no signal that was meant for an earlier one with the same pid [D-54]', async () => {
    const child = startProgram('/bin/sleep', '1000');
    const now = await readProcess(child.pid);
    const earlier = { pid: child.pid, startTime: String(Number(now?.startTime) - 1) };
    expect(await isAlive(earlier)).toBe(false);
    expect(await signalProcess(earlier, 'SIGKILL')).toBe(false);
    expect(child.exitCode).toBeNull();
    expect(now !== null && (await signalProcess(now, 'SIGKILL'))).toBe(true);
    await child.ended;
    expect(now !== null && (await signalProcess(now, 'SIGKILL'))).toBe(false);
  });

  test('is known by its program, also when that was replaced, and by its script', async () => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, 'v1'));
    const script = join(folder, 'v1/app.sh');
    await writeFile(script, '#!/bin/sh\nwhile :; do sleep 0.05; done\n');
    await chmod(script, 0o755);
    await symlink('v1', join(folder, 'current'));
    await copyFile('/bin/sleep', join(folder, 'program'));
    const byLink = startProgram(join(folder, 'current/app.sh'));
    const byOption = startProgram('/bin/sh', '-e', script);
    const inline = startProgram('/bin/sh', '-c', 'while :; do sleep 0.05; done', script);
    const program = startProgram(join(folder, 'program'), '1000');
    await copyFile('/bin/sleep', join(folder, 'new'));
    await rename(join(folder, 'new'), join(folder, 'program'));
    const shell = await realpath('/bin/sh');
    await until('all have started', async () => {
      const exes = await Promise.all([byLink, byOption, inline].map(({ pid }) => exeOf(pid)));
      return exes.every((exe) => exe === shell);
    });
    expect(await scriptOf(byLink.pid, shell)).toBe(script);
    expect(await scriptOf(byOption.pid, shell)).toBe(script);
    expect(await scriptOf(inline.pid, shell)).toBeNull();
    expect(await exeOf(program.pid)).toBe(join(folder, 'program'));
    expect(await scriptOf(program.pid, join(folder, 'program'))).toBeNull();
  });
});

describe('findFileUsers', () => {
  test('finds who runs or interprets a file, and nobody else', async () => {
    const folder = await temporaryFolder();
    const [program, script, unused] = ['program', 'script', 'unused'].map((name) => join(folder, name));
    if (program === undefined || script === undefined || unused === undefined) throw new Error('no names');
    await copyFile('/bin/sleep', program);
    await writeFile(script, 'while :; do sleep 0.05; done\n');
    const runner = startProgram(program, '1000');
    const interpreter = startProgram('/bin/sh', script);
    startProgram('/usr/bin/tail', '-f', script);
    const users = await until('both are seen', async () => {
      const found = await findFileUsers([program, script, unused]);
      return found.length >= 2 ? found : null;
    });
    expect(users.map(({ process, path }) => `${process.pid} ${path}`).sort()).toEqual(
      [`${runner.pid} ${program}`, `${interpreter.pid} ${script}`].sort(),
    );
    await rm(program);
    expect(await findFileUsers([program])).toHaveLength(1);
    expect(await findFileUsers([])).toEqual([]);
  });

  test('finds who has mapped a library', async () => {
    const library = [...(await mappedFilesOf(process.pid))].find((path) => /\/libc[.-]/.test(path)) ?? '';
    const child = startProgram(process.execPath, '-e', 'setInterval(() => undefined, 1000)');
    const user = await until('the library is mapped', async () => {
      return (await findFileUsers([library])).find((one) => one.process.pid === child.pid);
    });
    expect(user.path).toBe(library);
  });
});

describe('unitOfCgroup', () => {
  test.each([
    ['/system.slice/voice-app.service', 'voice-app.service'],
    ['/system.slice/system-app.slice/app@1.service/inner', 'app@1.service'],
    ['/user.slice/user-1000.slice/user@1000.service/app.slice/x.service', 'user@1000.service'],
    ['/user.slice/user-0.slice/session-3.scope', 'session-3.scope'],
    ['/system.slice/_cgroup.service', 'cgroup.service'],
    ['/../..', null],
    ['/', null],
  ])('%s is of %s', (path, unit) => {
    expect(unitOfCgroup(path)).toBe(unit);
  });
});
