import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { BuiltPackage, ModuleSketch } from '../support/build-package.js';
import { InstalledDevice, UNITS } from '../support/installed-device.js';
import { nodeProgram, realLibraries } from '../support/real-files.js';
import { figure, MB, median, type Row } from './figures.js';

/** Rows that need units, their limits and systemd's timestamps: `npm run bench -- --systemd` runs them. */

const RUNS = Number(process.env['BENCH_RUNS'] ?? '3');
const COMMAND = 'npm run bench -- --only systemd';
const SERVICES = ['alpha', 'beta'];
const rows: Row[] = [];
let device: InstalledDevice;
let version = 0;

beforeAll(async () => {
  device = await InstalledDevice.installed();
  for (const name of SERVICES)
    await device.addService(name, '#!/bin/sh\nexec sleep 100000\n', [
      '[Service]',
      `ExecStart=/opt/tope/bin/${name}`,
      // A unit that nothing wants is forgotten when it stops, its timestamps with it.
      '[Install]',
      'WantedBy=multi-user.target',
    ]);
}, 180_000);

afterAll(() => {
  const into = process.env['BENCH_ROWS'];
  if (into !== undefined) writeFileSync(into, JSON.stringify(rows));
});

/** A package that changes both services and brings so many bytes beside them. */
function packageOf(bytes: number): BuiltPackage {
  version += 1;
  const services = SERVICES.map((name): ModuleSketch => ({
    name,
    dst: `/opt/tope/bin/${name}`,
    brings: { bytes: `#!/bin/sh\nexec sleep ${100_000 + version}\n`, mode: 0o755 },
    also: { process_name: name },
  }));
  const data = { name: 'data', dst: '/opt/tope/data', brings: { bytes: randomBytes(bytes) } };
  return device.build(`1.0.${version}`, [...services, data]);
}

/** From the first unit that is down to the last that is up again, in ms, by systemd's own clock. */
async function downtime(): Promise<number> {
  const times = async (name: string) =>
    Promise.all(SERVICES.map(async (unit) => Number(await device.property(unit, name))));
  const stopped = Math.min(...(await times('ActiveExitTimestampMonotonic')));
  const started = Math.max(...(await times('ActiveEnterTimestampMonotonic')));
  return (started - stopped) / 1000;
}

async function downtimeOf(bytes: number): Promise<number> {
  const built = packageOf(bytes);
  await device.fetch(built, 300_000);
  await device.post('/update', { version: built.version });
  expect(await device.ends(300_000)).toBeNull();
  return downtime();
}

describe('services', () => {
  test('are down as long at any size', async () => {
    const sizes = [1, 27, 270];
    const bare: number[] = [];
    const seen = new Map<number, number[]>(sizes.map((size) => [size, []]));
    for (let run = 0; run < RUNS; run++) {
      for (const size of sizes) seen.get(size)?.push(await downtimeOf(size * MB));
      await device.lab.sh(`systemctl stop ${SERVICES.join(' ')}; systemctl start ${SERVICES.join(' ')}`);
      bare.push(await downtime());
    }
    await device.lab.sh('mkdir /opt/tope/own; head -c 500000000 /dev/urandom > /opt/tope/own/data');
    const besideData: number[] = [];
    for (let run = 0; run < RUNS; run++) besideData.push(await downtimeOf(27 * MB));
    const medians = [...seen.values(), besideData].map(median);
    const [least, most] = [Math.min(...medians), Math.max(...medians)];
    rows.push(
      ...[...seen].map(([size, times]) => ({
        what: `two services down, ${size} MB (bare stop and start: ${median(bare).toFixed(0)} ms)`,
        seen: figure(times, 'ms', 0),
        target: '≤ 100 ms over a bare stop and start',
        met: median(times) <= median(bare) + 100,
        command: COMMAND,
      })),
      {
        what: "two services down, 27 MB, beside 500 MB of the services' own data",
        seen: figure(besideData, 'ms', 0),
        target: '≤ 100 ms over a bare stop and start',
        met: median(besideData) <= median(bare) + 100,
        command: COMMAND,
      },
      {
        what: 'two services down: the largest of these medians by the smallest',
        seen: `${(most / least).toFixed(2)} ×`,
        target: '≤ 1.2 × (± 10 %)',
        met: most <= 1.2 * least,
        command: COMMAND,
      },
    );
  }, 1_800_000);
});

describe('a cycle of 270 MB', () => {
  test('takes as long under a limit of 64 MiB', async () => {
    const limited: number[] = [];
    const free: number[] = [];
    for (let run = 0; run < RUNS; run++) {
      free.push(await timed('MemoryMax=infinity'));
      limited.push(await timed('MemoryMax=64M'));
    }
    const ratio = median(limited) / median(free);
    rows.push({
      what: `270 MB under MemoryMax=64M, MemorySwapMax=0: ${figure(limited, 's')}, without a limit ${figure(free, 's')}`,
      seen: `${ratio.toFixed(2)} ×`,
      target: '≤ 1.1 ×',
      met: ratio <= 1.1,
      command: COMMAND,
    });
  }, 1_800_000);

  /** Seconds of a cycle, on an updater that was started under the limit. */
  async function timed(limit: string): Promise<number> {
    const dropIn = ['[Service]', limit, 'MemorySwapMax=0', ''].join('\n');
    await device.lab.write(`${UNITS}/tope-updater.service.d/limit.conf`, dropIn);
    await device.lab.sh('systemctl daemon-reload; systemctl restart tope-updater');
    const built = large();
    const began = performance.now();
    await device.fetch(built, 300_000);
    await device.post('/update', { version: built.version });
    expect(await device.ends(300_000)).toBeNull();
    return (performance.now() - began) / 1000;
  }

  function large(): BuiltPackage {
    version += 1;
    const files = [nodeProgram(), ...realLibraries(270 * MB - nodeProgram().size)];
    const brings = new Map(
      files.map(({ path }, at) => [`${at}-${version}`, { from: path, deflated: true, mode: 0o755 }] as const),
    );
    return device.build(`2.0.${version}`, [{ name: 'large', dst: '/opt/tope/large', brings }]);
  }
});
