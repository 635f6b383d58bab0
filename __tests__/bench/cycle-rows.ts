import { setTimeout as wait } from 'node:timers/promises';
import type { BenchRun, Comparison } from './bench-run.js';
import { figure, inMiB, median, MIB, p99, ratios, type Row } from './figures.js';
import { cycle } from './cycle.js';
import type { Kind } from './packages.js';
import { whilePolled } from './while-polled.js';

/** Rows of the table of targets that a whole cycle of 270 MB shows. */

const LARGE: Kind = '270 MB';
/** How long an updater at rest is asked: what the machine itself makes of an answer. */
const REST_MS = 3000;
const NOISE: Kind = '270 MB, incompressible';

export async function memoryRows(bench: BenchRun): Promise<Row[]> {
  const cycles = await bench.compared(LARGE);
  const anon = inMiB(cycles.map(({ rssAnon }) => rssAnon));
  const most = inMiB(cycles.map(({ vmHwm }) => vmHwm));
  const command = 'npm run bench -- --only memory';
  return [
    {
      what: 'memory, peak of a 270 MB cycle: RssAnon',
      seen: figure(anon, 'MiB'),
      target: '≤ 30 MiB',
      met: median(anon) <= 30,
      command,
    },
    {
      what: 'memory, peak of a 270 MB cycle: VmHWM',
      seen: figure(most, 'MiB'),
      target: '≤ 70 MiB',
      met: median(most) <= 70,
      command,
    },
  ];
}

export async function processorRows(bench: BenchRun): Promise<Row[]> {
  const command = 'npm run bench -- --only cpu';
  return Promise.all([row(LARGE, 1.25), row(NOISE, 2.2)]);

  async function row(kind: Kind, most: number): Promise<Row> {
    const cycles = await bench.compared(kind);
    const times = ratios(cpuOf(cycles), floorOf(cycles));
    return {
      what: `CPU of a whole cycle, ${kind}: by that of curl, md5sum, unzip, sync`,
      seen: figure(times, '×', 2),
      target: `≤ ${most} ×`,
      met: median(times) <= most,
      command,
    };
  }
}

export async function progressRows(bench: BenchRun): Promise<Row[]> {
  const answers: number[][] = [];
  const atRest: number[] = [];
  for (let run = 0; run < bench.runs; run++) {
    const built = bench.packages.of(LARGE);
    await bench.onDevice(async (device) => {
      atRest.push(p99(await whilePolled(device.listensAt, () => wait(REST_MS))));
      answers.push(await whilePolled(device.listensAt, () => cycle(device, built)));
    });
  }
  const nearlyAll = answers.map(p99);
  const longest = answers.map((times) => Math.max(...times));
  const command = 'npm run bench -- --only progress';
  return [
    {
      what: '/progress every 15 ms during a 270 MB cycle: p99',
      seen: `${figure(nearlyAll, 'ms')}; at rest ${figure(atRest, 'ms')}`,
      target: '≤ 20 ms',
      met: median(nearlyAll) <= 20,
      command,
    },
    {
      what: '/progress every 15 ms during a 270 MB cycle: longest',
      seen: figure(longest, 'ms'),
      target: '≤ 100 ms',
      met: median(longest) <= 100,
      command,
    },
  ];
}

export async function writtenRows(bench: BenchRun): Promise<Row[]> {
  const built = bench.packages.of(LARGE);
  const cycles = await bench.compared(LARGE);
  const written = cycles.map(({ writtenBytes }) => writtenBytes);
  const least = built.size + built.contentBytes;
  const parts = await changeOfOne(bench);
  const command = 'npm run bench -- --only written';
  return [
    {
      what: 'bytes written by a 270 MB cycle, beyond package and contents',
      seen: figure(inMiB(written.map((bytes) => bytes - least)), 'MiB', 2),
      target: '≤ 2 MiB',
      met: median(written) <= least + 2 * MIB,
      command,
    },
    {
      what: 'bytes written by an update of one module of ten, beyond package and module',
      seen: figure(inMiB(parts), 'MiB', 2),
      target: '≤ 2 MiB',
      met: median(parts) <= 2 * MIB,
      command,
    },
    {
      what: 'bytes fetched by a 270 MB cycle, by those of the package',
      seen: figure(
        cycles.map(({ fetchedBytes }) => fetchedBytes / built.size),
        '×',
        3,
      ),
      target: '1 ×',
      met: cycles.every(({ fetchedBytes }) => fetchedBytes === built.size),
      command,
    },
  ];
}

async function changeOfOne(bench: BenchRun): Promise<number[]> {
  const beyond: number[] = [];
  for (let run = 0; run < bench.runs; run++) {
    const [first, second] = [bench.packages.ofTen('1.0.0', 0), bench.packages.ofTen('1.1.0', 1)];
    await bench.onDevice(async (device) => {
      await cycle(device, first);
      const { writtenBytes } = await cycle(device, second);
      beyond.push(writtenBytes - second.size - second.contentBytes / 10);
    });
  }
  return beyond;
}

export function cpuOf(cycles: readonly Comparison[]): number[] {
  return cycles.map(({ cpuMs }) => cpuMs);
}

export function floorOf(cycles: readonly Comparison[]): number[] {
  return cycles.map(({ floor }) => floor.cpuMs);
}
