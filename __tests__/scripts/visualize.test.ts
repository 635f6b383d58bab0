import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createMachine } from 'xstate';
import { updateMachine } from '../../machines/update-machine.js';
import { graphOf } from '../../scripts/picture/machine-graph.js';
import { mermaidOf } from '../../scripts/picture/mermaid.js';

const PROGRAM = fileURLToPath(new URL('../../scripts/tope-updater.js', import.meta.url));

/** Runs the command as a process of its own. */
function visualize(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [PROGRAM, 'visualize', ...args], (_, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, stdout, stderr }),
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
    expect(await visualize()).toEqual({ code: 0, stdout: mermaidOf(graphOf(updateMachine)), stderr: '' });
  });

  test('writes it to a file', async () => {
    const file = join(folder, 'machine.mmd');
    expect(await visualize('--format', 'mermaid', '--restarts', '-o', file)).toMatchObject({
      code: 0,
      stdout: '',
    });
    expect(await readFile(file, 'utf8')).toBe(mermaidOf(graphOf(updateMachine, { restarts: true })));
  });

  test('says where it cannot write', async () => {
    const { code, stderr } = await visualize('-o', join(folder, 'no', 'such', 'folder'));
    expect(code).toBe(1);
    expect(stderr).toMatch(/ENOENT.*such\/folder/);
  });

  test('prints the very picture that docs/ and /visualizer show', async () => {
    const svg = await readFile(new URL('../../../docs/machine.svg', import.meta.url), 'utf8');
    expect((await visualize('--format', 'svg')).stdout).toBe(svg);
    const { stdout: page } = await visualize('--format', 'html');
    expect(page).toContain(svg.trim());
    expect(page).toContain('<td>UPDATE [isVersionReady]</td>');
    expect(page).not.toMatch(/(?:src|href)=/);
  });

  test('prints JSON of which XState makes the same machine', async () => {
    const { stdout } = await visualize('--format', 'json');
    const config: unknown = JSON.parse(stdout);
    expect(stdout).toBe(`${JSON.stringify(config, null, 2)}\n`);
    const again = createMachine({ ...(typeof config === 'object' ? config : {}) });
    expect(graphOf(again, { restarts: true })).toEqual(graphOf(updateMachine, { restarts: true }));
  });

  test('prints a graph for Graphviz, with a cluster for each state that has states in it', async () => {
    const { stdout } = await visualize('--format', 'dot');
    expect(stdout).toMatch(/^digraph machine \{[^]*\}\n$/);
    expect(stdout).toContain('subgraph "cluster restarting.rollingBack" {');
    expect(stdout).toContain(
      '"ready.askingGuard" -> "deploying.rehashing" [label="askGuard done [isDeviceFree]", lhead="cluster deploying"];',
    );
    expect((await visualize('--format', 'dot', '--restarts')).stdout).toContain('RESTORED [isStuck]');
  });

  test('tells how it is used, and what was wrong', async () => {
    expect(await visualize('--help')).toMatchObject({ code: 0, stdout: expect.stringContaining('Usage:') });
    for (const wrong of [['--format', 'png'], ['--colour'], ['extra'], ['--format', 'svg', '--restarts']]) {
      const { code, stderr } = await visualize(...wrong);
      expect(code).toBe(2);
      expect(stderr).toContain(wrong.at(-1));
      expect(stderr).toContain('see tope-updater visualize --help');
    }
  });
});
