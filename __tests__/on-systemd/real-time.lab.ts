import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { median } from '../bench/figures.js';
import type { BuiltPackage, ModuleSketch } from '../support/build-package.js';
import { InstalledDevice } from '../support/installed-device.js';
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
  // systemd forgets when a unit was stopped that nothing wants.
  const unit = ['[Service]', 'ExecStart=/opt/tope/bin/steady', '[Install]', 'WantedBy=multi-user.target'];
  const steady = () => ({ name: 'steady', program: `#!/bin/sh\n# ${version + 1}\nexec sleep 1000\n` });

  beforeAll(() => device.addService('steady', '#!/bin/sh\nexec sleep 1000\n', unit));

  /** From the stop to the start of its service, by systemd's clock, in whole ms. */
  const downtimeMs = async () => {
    const stamp = async (name: string) =>
      Number(await device.property('steady', `${name}TimestampMonotonic`)) / 1000;
    return Math.round((await stamp('ActiveEnter')) - (await stamp('ActiveExit')));
  };
  const cycle = async (megabytes: number) => {
    const built = large(megabytes, steady());
    const began = performance.now();
    await device.fetch(built, 300_000);
    const fetched = seconds(began);
    await device.post('/update', { version: built.version });
    expect(await device.ends(300_000)).toBeNull();
    const size = Math.round(built.size / MB);
    return `${megabytes} MB (${size} packed): fetched after ${fetched} s, installed after ${seconds(began)} s, service down for ${await downtimeMs()} ms`;
  };

  test('has a service down for as long as one of 1 MB that changes as many files', async () => {
    const downAt = async (megabytes: number) => {
      const built = ofEqualFiles(megabytes, steady());
      await device.fetch(built, 300_000);
      await device.post('/update', { version: built.version });
      expect(await device.ends(300_000)).toBeNull();
      return downtimeMs();
    };
    // The first brings the files, all others replace them.
    await downAt(1);
    const seen = { small: [0], large: [0], bare: [0] };
    for (let run = 0; run < 3; run++) {
      seen.small[run] = await downAt(1);
      seen.large[run] = await downAt(270);
      await device.lab.sh('systemctl stop steady; systemctl start steady');
      seen.bare[run] = await downtimeMs();
    }
    console.log(`service down, in ms, ${FILES} files replaced: ${JSON.stringify(seen)}`);
    const [small, large] = [median(seen.small), median(seen.large)];
    expect(Math.abs(large - small)).toBeLessThanOrEqual(Math.max(20, 0.1 * small));
  }, 1_800_000);

  test.each([
    ['infinity', 'infinity'],
    ['96M', 'infinity'],
    ['80M', '0'],
    ['64M', '0'],
  ])(
    'under MemoryMax=%s MemorySwapMax=%s, with nothing in the page cache, ends in success and is never killed',
    async (limit, swap) => {
      await device.limitMemory(limit, { swap });
      const pid = await device.property('tope-updater', 'MainPID');
      const words = await cycle(270);
      const memory = await device.lab.sh(`grep -E 'VmHWM|RssAnon' /proc/${pid}/status`);
      console.log(`MemoryMax=${limit} MemorySwapMax=${swap}: ${words}; ${memory.replaceAll(/\s+/g, ' ')}`);
      expect(await device.property('tope-updater', 'MainPID')).toBe(pid);
      expect(await device.property('tope-updater', 'NRestarts')).toBe('0');
    },
    1_200_000,
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

const FILES = 400;

/** Always as many files of the same names, each as long as the others, and a service that changes with them. */
function ofEqualFiles(megabytes: number, service: { name: string; program: string }): BuiltPackage {
  version += 1;
  const program = readFileSync(nodeProgram().path);
  const bytes = Math.floor((megabytes * MB) / FILES);
  const piece = (at: number) => {
    const from = (at * bytes + version * 4096) % (program.length - bytes);
    return program.subarray(from, from + bytes);
  };
  const brings = new Map(
    Array.from({ length: FILES }, (_, at) => [`part-${at}`, { bytes: piece(at), deflated: true }] as const),
  );
  return withService([{ name: 'equal', dst: '/opt/tope/equal', brings }], service);
}

/** Real programs and libraries: as many bytes of them as asked for, and a service that changes with them. */
function large(megabytes: number, service: { name: string; program: string }): BuiltPackage {
  version += 1;
  const node = nodeProgram();
  const most = megabytes * MB;
  const files = most > node.size ? [node, ...realLibraries(most - node.size)] : realLibraries(most);
  const brings = new Map(
    files.map(({ path }, at) => [`${at}-${version}`, { from: path, deflated: true, mode: 0o755 }] as const),
  );
  return withService([{ name: 'large', dst: '/opt/tope/large', brings }], service);
}

function withService(
  modules: readonly ModuleSketch[],
  { name, program }: { name: string; program: string },
): BuiltPackage {
  return device.build(`2.0.${version}`, [
    ...modules,
    {
      name,
      dst: `/opt/tope/bin/${name}`,
      brings: { bytes: program, mode: 0o755 },
      also: { process_name: name },
    },
  ]);
}
