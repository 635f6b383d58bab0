import { spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { existsSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { hasProgram, hasRoot, testIf, type Requirement } from '../support/requirements.js';
import { runNode } from '../support/run-node.js';

const COMMAND = '__tests__/powercut/powercut.js';
/** A short form: the long one is `npm run powercut`. */
const ROUNDS = 6;
/** With a sync taken out, more than it has ever taken to find a broken device. */
const ROUNDS_OF_CONTROL = 20;
const LIMIT_MS = 300_000;

const LOOP_DEVICES: Requirement = {
  met:
    hasRoot() &&
    ['mkfs.ext4', 'mount', 'unshare'].every(hasProgram) &&
    existsSync('/dev/loop-control') &&
    // Root of a container may not mount.
    spawnSync('unshare', ['--mount', 'true']).status === 0,
  needs: 'root, loop devices, the right to mount and the packages e2fsprogs, mount and util-linux',
};

describe('power cuts that lose what was not synced', () => {
  test.each([
    ['--control', 'everything'],
    ['--rounds', 'many'],
  ])('are not begun by %s %s', async (...args) => {
    expect(await runNode(COMMAND, args)).toMatchObject({ exitCode: 2 });
  });

  testIf(
    LOOP_DEVICES,
    'leave a device that is wholly one version, and no order lost [T-17]',
    async () => expect(await powercut({ rounds: ROUNDS })).toContain(`${ROUNDS} rounds`),
    LIMIT_MS,
  );

  testIf(
    LOOP_DEVICES,
    'leave a broken one where staged files are not synced, so the campaign would tell [D-41, T-18]',
    async () => {
      const said = await powercut({ rounds: ROUNDS_OF_CONTROL, control: 'staged-files' });
      expect(said).toContain('red without the sync of staged-files');
    },
    LIMIT_MS,
  );
});

/** What the campaign says, the seed first. Throws with all of it where it fails. */
async function powercut({ rounds, control }: { rounds: number; control?: string }): Promise<string> {
  const args = ['--rounds', String(rounds), '--seed', String(randomInt(2 ** 31))];
  if (control !== undefined) args.push('--control', control);
  // Processes that are killed tell nothing of what they ran, and the others would only take their time for it.
  const { exitCode, stdout, stderr } = await runNode(COMMAND, args, { NODE_V8_COVERAGE: undefined });
  if (exitCode !== 0) throw new Error(`exit code ${String(exitCode)}\n${stdout}${stderr}`);
  return stdout;
}
