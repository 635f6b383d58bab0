import { mkdir, readdir, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { needRoomForPackage } from '../../services/download/room-for-package.js';
import { freeBytes } from '../../services/free-room.js';
import { Device } from '../support/device.js';
import { FaultServer, file, makePackage } from '../support/fault-server.js';
import { orderFrom } from '../support/order-from.js';
import { ROOT, testIf } from '../support/requirements.js';
import { fillDisk, smallDisk } from '../support/small-disk.js';

const MIB = 1024 * 1024;
const noPrune = () => Promise.resolve();

async function folderOn(disk: string, name: string): Promise<string> {
  const folder = join(disk, name);
  await mkdir(folder);
  return folder;
}

testIf(
  ROOT,
  'on one file system what is fetched, what it inflates to and the reserve are one sum',
  async () => {
    const disk = await smallDisk('8m');
    const needed = {
      tmpDir: await folderOn(disk, 'tmp'),
      storeDir: await folderOn(disk, 'store'),
      toFetch: MIB,
      toInflate: 2 * MIB,
    };
    const free = await freeBytes(disk);
    await needRoomForPackage({ ...needed, reserveBytes: free - 3 * MIB }, noPrune);
    await expect(
      needRoomForPackage({ ...needed, reserveBytes: free - 3 * MIB + 1 }, noPrune),
    ).rejects.toMatchObject({
      line: `DISK_FULL: ${free + 1} bytes are needed in ${needed.tmpDir}, ${free} are available`,
    });
  },
);

testIf(ROOT, 'on two file systems each needs its own part, and its own reserve', async () => {
  const [tmpDir, storeDir] = [await smallDisk('4m'), await smallDisk('4m')];
  const needed = { tmpDir, storeDir, toFetch: 3 * MIB, toInflate: 3 * MIB };
  await needRoomForPackage({ ...needed, reserveBytes: MIB / 2 }, noPrune);
  await expect(
    needRoomForPackage({ ...needed, toFetch: MIB, reserveBytes: 2 * MIB }, noPrune),
  ).rejects.toMatchObject({ code: 'DISK_FULL', message: expect.stringContaining(`needed in ${storeDir}`) });
  await expect(
    needRoomForPackage({ ...needed, toInflate: MIB, reserveBytes: 2 * MIB }, noPrune),
  ).rejects.toMatchObject({ code: 'DISK_FULL', message: expect.stringContaining(`needed in ${tmpDir}`) });
});

testIf(ROOT, 'where room lacks old releases go first, and only then', async () => {
  const disk = await smallDisk('4m');
  const old = join(disk, 'old-release');
  await writeFile(old, Buffer.alloc(2 * MIB));
  let pruned = 0;
  const prune = async () => {
    pruned += 1;
    await rm(old);
  };
  const needed = { tmpDir: disk, storeDir: disk, toInflate: 0, reserveBytes: MIB };
  await needRoomForPackage({ ...needed, toFetch: MIB / 2 }, prune);
  expect(pruned).toBe(0);
  await needRoomForPackage({ ...needed, toFetch: 2 * MIB }, prune);
  expect(pruned).toBe(1);
});

testIf(ROOT, 'room is what an unprivileged writer may use', async () => {
  const disk = await smallDisk('4m');
  const { bavail, bsize } = await statfs(disk);
  expect(await freeBytes(disk)).toBe(bavail * bsize);
});

testIf(
  ROOT,
  'a device without room says so before the first byte of the body, and stays as it was',
  async () => {
    const disk = await smallDisk('36m');
    const workDir = await folderOn(disk, 'work');
    const device = await Device.on({ environment: { TOPE_WORK_DIR: workDir } });
    const { content, identity } = makePackage(6 * MIB);
    const server = await FaultServer.start(file(content, { pieceBytes: MIB, pauseMs: 300 }));
    await orderFrom(device, server.url(), identity);
    await device.api.hearsStage('failed');
    const { error } = await device.progress();
    const [, needed, available] =
      /^DISK_FULL: (\d+) bytes are needed in \S+, (\d+) are available$/.exec(error ?? '') ?? [];
    expect(Number(needed)).toBe(6 * MIB + 32 * MIB);
    // Logs and the saved state grow meanwhile.
    expect(Math.abs(Number(available) - (await freeBytes(disk)))).toBeLessThan(256 * 1024);
    expect(server.sentBytes).toBeLessThanOrEqual(2 * MIB);
  },
);

testIf(
  ROOT,
  'a disk that others fill up while bytes come in costs the partial and nothing else [D-105]',
  async () => {
    const disk = await smallDisk('42m');
    const workDir = await folderOn(disk, 'work');
    const device = await Device.on({ environment: { TOPE_WORK_DIR: workDir } });
    const { content, identity } = makePackage(6 * MIB);
    const server = await FaultServer.start(file(content, { pauseMs: 20 }));
    await orderFrom(device, server.url(), identity);
    await device.api.hears('a quarter of it', ({ raw }) =>
      /"downloading","progress":(?:2[5-9]|[3-9]\d)/.test(raw),
    );
    const ballast = await fillDisk(disk, MIB / 2);
    await device.api.hearsStage('failed');
    expect((await device.progress()).error).toMatch(/^DISK_FULL: .*needed \d+ more bytes, available \d+$/);
    const left = await readdir(join(workDir, 'tmp'));
    expect(left.filter((name) => name.includes(identity.md5))).toEqual([]);
    await rm(ballast);
    server.behave(file(content));
    await orderFrom(device, server.url(), identity);
    // The bytes are no ZIP: they have all come and been hashed when that is found out.
    await device.api.hears('the verdict', ({ raw }) => raw.includes('INVALID_PACKAGE'));
  },
);
