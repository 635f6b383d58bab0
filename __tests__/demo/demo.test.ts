import { readdir } from 'node:fs/promises';
import { describe, expect, test } from '@jest/globals';
import { readProcesses, scriptOf } from '../../services/service-control/proc.js';
import { endingOf, runNode, startNode } from '../support/run-node.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const DEMO = 'scripts/demo/demo.js';
const MOST_MS = 60_000;

/** The scripts below a folder that processes run now. */
async function scriptsRunningBelow(folder: string): Promise<string[]> {
  const scripts = await Promise.all(
    (await readProcesses()).map(({ pid }) => scriptOf(pid, process.execPath)),
  );
  return scripts.filter((script) => script !== null).filter((script) => script.startsWith(folder));
}

describe('the demo', () => {
  test(
    'updates, survives the cuts, rolls back, and judges itself by files and processes',
    async () => {
      const folder = await temporaryFolder();
      const { exitCode, stdout } = await runNode(DEMO, [], { TMPDIR: folder });
      expect(stdout).toMatch(/camera +0\.9\.0 +1\.0\.0 +1\.1\.0 +1\.1\.0\n/);
      expect(stdout).toMatch(/voice-app +0\.9\.0 +1\.0\.0 +1\.1\.0 +1\.1\.0\n/);
      expect(stdout).toContain('the package server drops the connection');
      expect(stdout.match(/SIGKILL to the updater/g)).toHaveLength(2);
      expect(stdout).toMatch(/restarting\.settling -> restarting\.rollingBack\.toPrevious/);
      expect(stdout).toMatch(/device-api {2}hears failed .*voice-app.*; rolled back to 1\.1\.0/);
      for (const stage of ['downloading', 'verifying', 'installing', 'rebooting'])
        expect(stdout).toMatch(new RegExp(`${stage} +\\[#+\\.*\\] +\\d+ %`));
      expect(stdout).not.toContain('BROKEN');
      expect(exitCode).toBe(0);
      expect(await readdir(folder)).toEqual([]);
      expect(await scriptsRunningBelow(folder)).toEqual([]);
    },
    MOST_MS,
  );

  test(
    'leaves no process and no file behind when it is interrupted',
    async () => {
      const folder = await temporaryFolder();
      const demo = startNode(DEMO, [], { TMPDIR: folder });
      const ending = endingOf(demo);
      const downloading = new Promise<void>((resolve) => {
        let printed = '';
        demo.stdout?.on('data', (chunk: Buffer) => {
          printed += chunk.toString();
          if (printed.includes('hears downloading 5 %')) resolve();
        });
      });
      await Promise.race([downloading, ending]);
      expect(await scriptsRunningBelow(folder)).toHaveLength(2);
      demo.kill('SIGINT');
      expect((await ending).exitCode).toBe(130);
      expect(await readdir(folder)).toEqual([]);
      expect(await scriptsRunningBelow(folder)).toEqual([]);
    },
    MOST_MS,
  );
});
