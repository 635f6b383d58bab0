import { beforeAll, describe, expect, test } from '@jest/globals';
import type { BuiltPackage } from '../support/build-package.js';
import { InstalledDevice, UNITS } from '../support/installed-device.js';
import { nodeProgram, realLibraries } from '../support/real-files.js';

/**
 * What takes as long as it really takes: `npm run lab`. Real seconds of services that are slow to start and slow to stop,
 * and whole cycles of 270 MB under the memory limit of the unit, and under a smaller one. Needs root and systemd.
 */

const MB = 1_000_000;
let device: InstalledDevice;

beforeAll(async () => {
  device = await InstalledDevice.installed({ configuration: { settleMs: 5000 } });
}, 120_000);

const seconds = (sinceMs: number) => ((performance.now() - sinceMs) / 1000).toFixed(1);

describe('a service in real time', () => {
  const notify = (waitS: number) => `#!/bin/sh\nsleep ${waitS}\nsystemd-notify --ready\nexec sleep 1000\n`;
  const unit = (...lines: string[]) => ['[Service]', 'ExecStart=/opt/tope/bin/late', ...lines];

  test.each([
    ['takes 20 s to become active', notify(20), null],
    ['takes 40 s to become active', notify(40), /^SERVICE_START_FAILED: .*after 30 s/],
    [
      'dies 3 s after it became active',
      '#!/bin/sh\nsystemd-notify --ready\nsleep 3\n',
      /^HEALTH_CHECK_FAILED/,
    ],
  ])(
    '%s',
    async (title, program, error) => {
      const lines = ['Type=notify', 'NotifyAccess=all', 'TimeoutStartSec=90'];
      await device.addService('late', notify(0), unit(...lines));
      const end = await update('late', program);
      console.log(`${title}: ${end.error ?? 'success'} after ${end.seconds} s`);
      if (error === null) expect(end.error).toBeNull();
      else expect(end.error).toMatch(error);
      expect(await device.property('late', 'ActiveState')).toBe('active');
    },
    180_000,
  );

  test('ignores SIGTERM', async () => {
    const deaf = '#!/bin/sh\ntrap "" TERM\nwhile :; do sleep 0.1; done\n';
    await device.addService('late', deaf, unit('TimeoutStopSec=90'));
    const end = await update('late', '#!/bin/sh\nexec sleep 1000\n');
    console.log(`ignores SIGTERM: ${end.error ?? 'success'} after ${end.seconds} s`);
    expect(end.error).toBeNull();
  }, 120_000);
});

describe('a cycle of 270 MB', () => {
  test.each([
    ['MemoryMax=96M', ''],
    ['MemoryMax=64M', 'MemorySwapMax=0'],
  ])(
    'under %s %s ends in success and is never killed',
    async (limit, swap) => {
      const dropIn = ['[Service]', limit, swap, ''].join('\n');
      await device.lab.write(`${UNITS}/tope-updater.service.d/limit.conf`, dropIn);
      await device.lab.sh('systemctl daemon-reload; systemctl restart tope-updater');
      const pid = await device.property('tope-updater', 'MainPID');
      const built = large();
      const began = performance.now();
      await device.fetch(built, 300_000);
      const fetched = seconds(began);
      await device.post('/update', { version: built.version });
      expect(await device.ends(300_000)).toBeNull();
      const memory = await device.lab.sh(`grep -E 'VmHWM|RssAnon' /proc/${pid}/status`);
      console.log(
        `${limit} ${swap}: ${Math.round(built.size / MB)} MB fetched after ${fetched} s, installed after ${seconds(began)} s; ${memory.replaceAll(/\s+/g, ' ')}`,
      );
      expect(await device.property('tope-updater', 'MainPID')).toBe(pid);
      expect(await device.property('tope-updater', 'NRestarts')).toBe('0');
    },
    900_000,
  );
});

let version = 0;

async function update(name: string, program: string): Promise<{ error: string | null; seconds: string }> {
  version += 1;
  const built = device.build(`1.0.${version}`, [
    {
      name,
      dst: `/opt/tope/bin/${name}`,
      brings: { bytes: program, mode: 0o755 },
      also: { process_name: name },
    },
  ]);
  await device.fetch(built);
  const began = performance.now();
  await device.post('/update', { version: built.version });
  return { error: await device.ends(150_000), seconds: seconds(began) };
}

/** Real programs and libraries: node, again and again, and what else this machine has. */
function large(): BuiltPackage {
  version += 1;
  const files = [nodeProgram(), ...realLibraries(270 * MB - nodeProgram().size)];
  const brings = new Map(
    files.map(({ path }, at) => [`${at}-${version}`, { from: path, deflated: true, mode: 0o755 }] as const),
  );
  return device.build(`2.0.${version}`, [{ name: 'large', dst: '/opt/tope/large', brings }]);
}
