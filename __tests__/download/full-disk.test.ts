import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { UpdateError } from '../../machines/errors.js';
import { DownloadBench } from '../support/download-bench.js';
import { FaultServer, file } from '../support/fault-server.js';
import { testIf } from '../support/requirements.js';

const MAY_MOUNT = { met: mayMount(), needs: 'root, to mount a small file system' };

testIf(MAY_MOUNT, 'a disk that fills up half-way is told, with what is needed and available', async () => {
  const small = mountSmall();
  try {
    const bench = await DownloadBench.make(3_000_000, small);
    const server = await FaultServer.start(file(bench.content));
    const error = await bench.failure(server.url());
    expect(error.code).toBe('DISK_FULL');
    expect(error.message).toMatch(/^no room left in \S+: needed \d{6,7} more bytes, available \d+$/);
    expect(error.facts).toMatchObject({ retry: 'final', discard: true });
    expect(error.facts.bytesArrived).toBeGreaterThan(500_000);
    await bench.expectNothingOnDisk();
  } finally {
    unmount(small);
  }
});

test('too little room, told before the first byte, deletes the partial and writes nothing [D-105]', async () => {
  const bench = await DownloadBench.make();
  const server = await FaultServer.start(file(bench.content, { cutAfter: 400_000 }), file(bench.content));
  await bench.failure(server.url());
  const full = new UpdateError('DISK_FULL', 'needed 600000 bytes, available 7');
  const error = await bench.failure(server.url(), { makeRoom: () => Promise.reject(full) });
  expect(error.line).toBe('DISK_FULL: needed 600000 bytes, available 7');
  expect(error.facts).toMatchObject({ retry: 'final', discard: true, bytesArrived: 0 });
  await bench.expectNothingOnDisk();
});

test('a work folder that cannot be written to is final', async () => {
  const bench = await DownloadBench.make(10, '/proc/self/fdinfo');
  const server = await FaultServer.start(file(bench.content));
  const error = await bench.failure(server.url());
  expect(error.code).toBe('DOWNLOAD_FAILED');
  expect(error.message).toMatch(/^cannot write the package to \/proc\/self\/fdinfo \(E[A-Z]+\)$/);
  expect(error.facts.retry).toBe('final');
});

/** A file system of 1 MiB. */
function mountSmall(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tope-small-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder], { stdio: 'ignore' });
    return folder;
  } catch (error) {
    rmdirSync(folder);
    throw error;
  }
}

function unmount(folder: string): void {
  execFileSync('umount', [folder]);
  rmdirSync(folder);
}

/** A container may have root and no right to mount. */
function mayMount(): boolean {
  try {
    unmount(mountSmall());
    return true;
  } catch {
    return false;
  }
}
