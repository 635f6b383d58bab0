import { readFile } from 'node:fs/promises';
import { describe, expect, test } from '@jest/globals';
import { runNode, type Ending } from '../support/run-node.js';
import { closedOrigin, serve } from '../support/small-server.js';

const COMMAND = 'scripts/tope-updater.js';

function run(...args: string[]): Promise<Ending> {
  return runNode(COMMAND, args);
}

/** A server that tells this at /progress; answers with its port. */
async function startUpdater(answer: unknown): Promise<number> {
  const origin = await serve((request, response) => {
    if (request.url !== '/api/v1.0/progress') response.statusCode = 404;
    response.end(typeof answer === 'string' ? answer : JSON.stringify(answer));
  });
  return Number(new URL(origin).port);
}

const DOWNLOADING = { stage: 'downloading', progress: 45, message: 'Downloading package...', error: null };
const FAILED = { stage: 'failed', progress: 45, message: 'Update failed', error: 'MD5_MISMATCH: got 0' };

describe('tope-updater', () => {
  test('tells its commands and exit codes with --help', async () => {
    const { exitCode, stdout, stderr } = await run('--help');
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toMatch(/^Usage: tope-updater COMMAND/);
    expect(stdout).toContain('78 bad configuration');
    expect(stdout).toMatch(/^ {2}status /m);
    expect(await run('help')).toEqual(await run('-h'));
  });

  test('tells how each of its commands is used', async () => {
    const { stdout } = await run('--help');
    const names = [...stdout.matchAll(/^ {2}([a-z]+) /gm)].map((match) => match[1] ?? '');
    expect(names).toContain('status');
    for (const name of names) {
      const help = await run(name, '--help');
      expect(help).toMatchObject({ exitCode: 0, stderr: '' });
      expect(help.stdout).toMatch(new RegExp(`^Usage: tope-updater ${name}`));
    }
  });

  test('tells its version', async () => {
    const { exitCode, stdout } = await run('--version');
    expect(exitCode).toBe(0);
    expect(await readFile('package.json', 'utf8')).toContain(`"version": "${stdout.trim()}"`);
  });

  test.each([
    [[], 'no command is given; see tope-updater --help'],
    [['constructor'], 'constructor is no command; see tope-updater --help'],
    [['status', '--color'], "Unknown option '--color'"],
    [['status', 'now'], "Unexpected argument 'now'"],
    [['status', '--updater'], "Option '--updater <value>' argument missing"],
    [['status', '--updater', 'ftp://x'], '--updater is "ftp://x": expected an http or https URL'],
  ])('ends with exit code 2 and a line that tells why when it is called wrongly: %p', async (args, words) => {
    const { exitCode, stdout, stderr } = await run(...args);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toMatch(/^tope-updater: [^\n]+ --help\n$/);
    expect(stderr).toContain(words);
  });

  test('has a built file that can be executed as it is', async () => {
    const built = await readFile(`dist/${COMMAND}`, 'utf8');
    expect(built.startsWith('#!/usr/bin/env node\n')).toBe(true);
  });
});

describe('tope-updater status', () => {
  test('prints stage, progress and message in words', async () => {
    const port = await startUpdater({ code: 200, msg: 'success', data: DOWNLOADING });
    expect(await run('status', '--updater', `http://127.0.0.1:${port}/`)).toEqual({
      exitCode: 0,
      stdout: 'downloading 45 %: Downloading package...\n',
      stderr: '',
    });
  });

  test('prints the data as JSON for scripts, asking where it is configured', async () => {
    const port = await startUpdater({ code: 200, msg: 'success', data: DOWNLOADING });
    const environment = { TOPE_HOST: '0.0.0.0', TOPE_PORT: String(port) };
    const { exitCode, stdout } = await runNode(COMMAND, ['status', '--json'], environment);
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toEqual(DOWNLOADING);
  });

  test('ends with exit code 1 after a failed update, and tells the error', async () => {
    const port = await startUpdater({ code: 500, msg: 'Update failed: …', stage: 'failed', data: FAILED });
    expect(await run('status', '--updater', `http://127.0.0.1:${port}`)).toEqual({
      exitCode: 1,
      stdout: 'failed 45 %: Update failed\nerror: MD5_MISMATCH: got 0\n',
      stderr: '',
    });
  });

  test.each(['<html>', { code: 404, msg: 'nothing here' }, null])(
    'ends with exit code 1 where what answers is no updater: %p',
    async (answer) => {
      const port = await startUpdater(answer);
      const { exitCode, stdout, stderr } = await run('status', '--updater', `http://127.0.0.1:${port}`);
      expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
      expect(stderr).toContain(`http://127.0.0.1:${port}/api/v1.0/progress`);
    },
  );

  test('ends with exit code 1 and the reason where nobody answers', async () => {
    const { exitCode, stderr } = await run('status', '--updater', await closedOrigin());
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^tope-updater: no updater answers at .+: connect ECONNREFUSED .+\n$/);
  });
});
