import { randomBytes, randomInt } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { buildPackage, type BuiltPackage } from '../support/build-package.js';
import { until } from '../support/until.js';
import { MeasuredDevice, type MeasuredOptions } from '../support/measured-device.js';
import { throttle } from './throttle.js';
import { busiestSecond, p99, watchDownload, watchIdle, type Watched } from './watch.js';

/** What was measured, what it may be, and whether it is. */
export interface Finding {
  what: string;
  seen: string;
  target: string;
  met: boolean;
}

/** The launcher of an unpacked release. */
type Program = MeasuredOptions['program'];

const MIB = 1024 * 1024;
const MBIT = 1e6 / 8;
const SECOND = 1000;
/** The reads of RssAnon that show the start: what a download needs is there by then. */
const WARM_UP = 5;

/** A whole download over a slow link, against the time that the link itself needs. */
export async function slowLink(program: Program, bytes: number, mbits: number): Promise<Finding[]> {
  const device = await MeasuredDevice.make({ program });
  try {
    await device.start();
    device.server.pace = throttle(mbits * MBIT);
    const built = noise(device, bytes);
    const idle = await watchIdle(device);
    await device.order(built);
    const watched = await watchDownload(device);
    const floorMs = (SECOND * built.size) / (mbits * MBIT);
    return [
      {
        what: `${built.size} bytes at ${mbits} Mbit/s, order to toInstall`,
        seen: `${seconds(watched.tookMs)} (floor ${seconds(floorMs)})`,
        target: `≤ floor + 5 s`,
        met: watched.tookMs <= floorMs + 5 * SECOND,
      },
      ...common(device, watched, idle),
    ];
  } finally {
    await device.close();
  }
}

/** A download that is cut and killed at random instants, against the bytes of the package. */
export async function cutsAndKills(
  program: Program,
  bytes: number,
  mbits: number,
  times: number,
): Promise<Finding[]> {
  const device = await MeasuredDevice.make({ program });
  try {
    await device.start();
    device.server.pace = throttle(mbits * MBIT);
    const built = noise(device, bytes);
    await device.order(built);
    const spanMs = (SECOND * built.size) / (mbits * MBIT) / (times + 2);
    for (let round = 0; round < times; round++) {
      const before = device.server.sentBytes;
      await until('bytes come again', () => device.server.sentBytes > before);
      await wait(randomInt(Math.ceil(1.6 * spanMs)));
      if (round % 2 === 0) device.server.cut();
      else {
        await device.updater.end('SIGKILL');
        await device.start();
      }
    }
    await device.reaches('toInstall', 600 * SECOND);
    const ratio = device.server.sentBytes / built.size;
    return [
      {
        what: `${built.size} bytes with ${times} random cuts and SIGKILLs, bytes that the server sent`,
        seen: `${device.server.sentBytes} (${ratio.toFixed(4)} × the package, in ${device.server.ranges.length} requests)`,
        target: '≤ 1.05 × the package',
        met: ratio <= 1.05,
      },
    ];
  } finally {
    await device.close();
  }
}

/** A download with TOPE_MAX_RATE from a server that is as fast as it can be. */
export async function limited(program: Program, bytes: number, bytesPerSecond: number): Promise<Finding[]> {
  const device = await MeasuredDevice.make({
    program,
    environment: { TOPE_MAX_RATE: String(bytesPerSecond) },
  });
  try {
    await device.start();
    const built = noise(device, bytes);
    const idle = await watchIdle(device);
    await device.order(built);
    const watched = await watchDownload(device);
    const floorMs = (SECOND * built.size) / bytesPerSecond;
    return [
      {
        what: `TOPE_MAX_RATE=${bytesPerSecond}, ${built.size} bytes`,
        seen: `${seconds(watched.tookMs)} (by the limit ${seconds(floorMs)})`,
        target: 'the limit ± 5 %, and 2 s for the rest',
        met: watched.tookMs >= 0.95 * floorMs && watched.tookMs <= 1.05 * floorMs + 2 * SECOND,
      },
      {
        what: 'the most bytes within a second',
        seen: String(Math.round(busiestSecond(watched))),
        target: '≤ 1.2 × the limit + 131072',
        met: busiestSecond(watched) <= 1.2 * bytesPerSecond + 131_072,
      },
      ...common(device, watched, idle),
    ];
  } finally {
    await device.close();
  }
}

function common(device: MeasuredDevice, watched: Watched, idle: readonly number[]): Finding[] {
  const { memory, answers, tookMs, cpuMs } = watched;
  const later = memory.slice(WARM_UP);
  const first = median(later.slice(0, 5));
  const last = median(later.slice(-5));
  const most = Math.max(20, 1.5 * p99(idle));
  return [
    {
      what: 'RssAnon, the median of five seconds at the beginning and at the end',
      seen: `${mebibytes(first)} → ${mebibytes(last)} (most ${mebibytes(Math.max(...memory))}, VmHWM ${mebibytes(device.memory('VmHWM'))})`,
      target: 'grows by 4 MiB at most',
      met: last - first <= 4 * MIB,
    },
    {
      what: '/progress, asked every 15 ms',
      seen: `p99 ${p99(answers).toFixed(1)} ms of ${answers.length} (${p99(idle).toFixed(1)} ms while idle)`,
      target: 'p99 ≤ 20 ms, or 1.5 × that of the idle updater on a busy machine',
      met: p99(answers) <= most,
    },
    {
      what: 'percent',
      seen: watched.isProgressSound ? 'integers, never backwards' : 'went backwards, or was no integer',
      target: 'integers, never backwards',
      met: watched.isProgressSound,
    },
    {
      what: 'processor time, the polling included',
      seen: `${seconds(cpuMs)} (${((100 * cpuMs) / tookMs).toFixed(1)} % of a core)`,
      target: 'told only',
      met: true,
    },
  ];
}

/** A package of about so many bytes, which nothing makes smaller. */
function noise({ folder, root }: MeasuredDevice, bytes: number): BuiltPackage {
  const brings = { bytes: randomBytes(bytes) };
  const modules = [{ name: 'app', dst: join(root, 'app'), brings }];
  return buildPackage(join(folder, 'packages'), { version: '1.0.0', modules });
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

function seconds(ms: number): string {
  return `${(ms / SECOND).toFixed(1)} s`;
}

function mebibytes(bytes: number): string {
  return `${(bytes / MIB).toFixed(1)} MiB`;
}
