import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, test } from '@jest/globals';

/** Something that a machine must have for a test; `needs` tells how to get it. */
export interface Requirement {
  met: boolean;
  needs: string;
}

export function hasRoot(): boolean {
  return process.getuid?.() === 0;
}

/** Whether a program of this name is in the PATH. */
export function hasProgram(name: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((folder) => isExecutable(join(folder, name)));
}

/** Whether systemd is installed; it need not be what this machine was booted with. */
function hasSystemd(): boolean {
  return isExecutable('/lib/systemd/systemd') && hasProgram('systemctl') && hasProgram('dbus-daemon');
}

function hasOverlay(): boolean {
  return /\boverlay$/m.test(readFileSync('/proc/filesystems', 'utf8'));
}

export const ROOT: Requirement = { met: hasRoot(), needs: 'root' };

export const SYSTEMD_LAB: Requirement = {
  met: hasRoot() && hasSystemd() && hasOverlay(),
  needs: 'root, overlayfs and the packages systemd, systemd-sysv and dbus',
};

export const TMUX: Requirement = { met: hasProgram('tmux'), needs: 'the package tmux' };

/** Where Debian's cross packages put the libraries of arm64 programs. */
export const ARM64_LIBRARIES = '/usr/aarch64-linux-gnu';

export const QEMU_ARM64: Requirement = {
  met: hasProgram('qemu-aarch64') && existsSync(`${ARM64_LIBRARIES}/lib/libstdc++.so.6`),
  needs: 'the packages qemu-user, libc6-arm64-cross and libstdc++6-arm64-cross',
};

type Body = () => void | Promise<void>;

/** A test that is skipped where its requirement lacks, and fails there in CI (`CI` is set): CI must prove everything. */
export function testIf(requirement: Requirement, name: string, body: Body, timeoutMs?: number): void {
  if (requirement.met) test(name, body, timeoutMs);
  else lacks(requirement, name);
}

/** The same for a group of tests; its hooks do not run where the requirement lacks. */
export function describeIf(requirement: Requirement, name: string, body: () => void): void {
  if (requirement.met) describe(name, body);
  else lacks(requirement, name);
}

function lacks({ needs }: Requirement, name: string): void {
  const words = `${name} (needs ${needs})`;
  if (process.env['CI'] === undefined) test.skip(words, () => undefined);
  else
    test(words, () => {
      throw new Error(`this machine lacks what the test needs: ${needs}`);
    });
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
