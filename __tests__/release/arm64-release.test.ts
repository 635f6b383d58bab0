import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from '@jest/globals';
import { buildRelease } from '../../scripts/release/build-release.js';
import { NODE_LINE } from '../../scripts/release/runtime.js';
import { CHECKOUT } from '../support/release-archive.js';
import { ARM64_LIBRARIES, QEMU_ARM64, testIf } from '../support/requirements.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const run = promisify(execFile);

testIf(QEMU_ARM64, 'the release for arm64 brings a node that runs, and that runs the program', async () => {
  const folder = await temporaryFolder();
  const { path } = await buildRelease({ checkout: CHECKOUT, into: folder, node: 'arm64' });
  expect(path).toMatch(/-arm64\.tar\.gz$/);
  await run('tar', ['-C', folder, '--strip-components=1', '-xzf', path]);
  const node = join(folder, 'program', 'runtime', 'node');
  const inArm64 = (...args: string[]) => run('qemu-aarch64', ['-L', ARM64_LIBRARIES, node, ...args]);
  const { stdout } = await inArm64('--version');
  console.log(`node of the arm64 release: ${stdout.trim()}`);
  expect(stdout).toMatch(new RegExp(`^v${NODE_LINE}\\.`));
  const program = join(folder, 'program', 'dist', 'scripts', 'tope-updater.js');
  expect((await inArm64(program, '--version')).stdout).toMatch(/^\d+\.\d+\.\d+/);
});
