import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { updateMachine } from '../../machines/update-machine.js';
import { mermaidOf } from '../../scripts/mermaid.js';

const SCRIPT = new URL('../../scripts/visualize.js', import.meta.url).href;
const COMMAND = `process.exitCode = await (await import(${JSON.stringify(SCRIPT)})).visualizeCommand(process.argv.slice(1))`;

/** Runs the command as a process of its own. */
function visualize(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      ['--input-type=module', '-e', COMMAND, '--', ...args],
      (_, stdout, stderr) => resolve({ code: child.exitCode ?? -1, stdout, stderr }),
    );
  });
}

describe('the command visualize', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'visualize-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  test('prints the picture', async () => {
    expect(await visualize()).toEqual({ code: 0, stdout: mermaidOf(updateMachine), stderr: '' });
  });

  test('writes it to a file', async () => {
    const file = join(folder, 'machine.mmd');
    expect(await visualize('--format', 'mermaid', '--restarts', '-o', file)).toMatchObject({
      code: 0,
      stdout: '',
    });
    expect(await readFile(file, 'utf8')).toBe(mermaidOf(updateMachine, { restarts: true }));
  });

  test('says where it cannot write', async () => {
    const { code, stderr } = await visualize('-o', join(folder, 'no', 'such', 'folder'));
    expect(code).toBe(1);
    expect(stderr).toMatch(/^cannot write .*ENOENT/);
  });

  test('tells how it is used, and what was wrong', async () => {
    expect(await visualize('--help')).toMatchObject({ code: 0, stdout: expect.stringContaining('Usage:') });
    for (const wrong of [['--format', 'png'], ['--colour'], ['extra']]) {
      const { code, stderr } = await visualize(...wrong);
      expect(code).toBe(2);
      expect(stderr).toContain(wrong.at(-1));
      expect(stderr).toContain('Usage:');
    }
  });
});
