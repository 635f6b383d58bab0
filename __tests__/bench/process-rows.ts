import { join } from 'node:path';
import { MeasuredDevice } from '../support/measured-device.js';
import type { BenchRun } from './bench-run.js';
import { cycle } from './cycle.js';
import { figure, inMiB, median, p99, type Row } from './figures.js';
import { COLLECTABLE, reportLatencies, smallCycles, type AtIdle } from './small-cycles.js';

const STARTS = 20;

/** Rows about the process: how quickly it starts and reports, what it holds after many cycles. */

export async function startRows(bench: BenchRun): Promise<Row[]> {
  const medians: number[] = [];
  const memory: number[] = [];
  for (let run = 0; run < bench.runs; run++) {
    const times: number[] = [];
    await bench.onDevice(async (device) => {
      for (let start = 0; start < STARTS; start++) {
        await device.updater.end('SIGTERM');
        const begun = performance.now();
        await device.start();
        await device.progress();
        times.push(performance.now() - begun);
      }
      memory.push(device.memory('VmRSS'));
    });
    medians.push(median(times));
  }
  const command = 'npm run bench -- --only start';
  return [
    {
      what: `start of the process to its first answer, the median of ${STARTS} starts`,
      seen: figure(medians, 'ms', 0),
      target: '≤ 300 ms',
      met: median(medians) <= 300,
      command,
    },
    {
      what: 'memory, resident right after the start',
      seen: figure(inMiB(memory), 'MiB'),
      target: 'told only',
      met: null,
      command,
    },
  ];
}

export async function reportRows(bench: BenchRun): Promise<Row[]> {
  const cycles = 20;
  const nearlyAll: number[] = [];
  let samples = 0;
  for (let run = 0; run < bench.runs; run++) {
    await bench.onDevice(async (device) => {
      const latencies = await reportLatencies(device, async () => {
        for (let version = 1; version <= cycles; version++)
          await cycle(device, bench.packages.small(version, 100_000));
      });
      samples += latencies.length;
      nearlyAll.push(p99(latencies));
    });
  }
  return [
    {
      what: `report of a stage: its save to its arrival, p99 (${samples} reports)`,
      seen: figure(nearlyAll, 'ms'),
      target: '≤ 50 ms',
      met: median(nearlyAll) <= 50,
      command: 'npm run bench -- --only reports',
    },
  ];
}

/** What grows over cycles of 1 MB on one updater. Told from the fifth on: what is loaded late is there by then. */
export async function soakRows(
  { program, folder, packages }: BenchRun,
  count: number,
  onCycle: (cycle: number, atIdle: AtIdle) => void = () => undefined,
): Promise<Row[]> {
  const device = await MeasuredDevice.on({
    program,
    folder: join(folder, 'device'),
    environment: COLLECTABLE,
  });
  const seen: AtIdle[] = [];
  try {
    for await (const atIdle of smallCycles(device, packages, { count, bytes: 1_000_000 })) {
      seen.push(atIdle);
      onCycle(seen.length, atIdle);
    }
  } finally {
    await device.close();
  }
  const few = Math.min(5, Math.ceil(count / 4));
  const late = seen.slice(few);
  const [first, last] = [late.slice(0, few), late.slice(-few)];
  const grown =
    (median(last.map(({ rssAnon }) => rssAnon)) - median(first.map(({ rssAnon }) => rssAnon))) / 2 ** 20;
  const opened =
    median(last.map(({ openFiles }) => openFiles)) - median(first.map(({ openFiles }) => openFiles));
  const command = `npm run soak -- --cycles ${count}`;
  return [
    {
      what: `memory, over ${count} cycles: growth of RssAnon at idle`,
      seen: `${grown.toFixed(2)} MiB`,
      target: '< 2 MiB',
      met: grown < 2,
      command,
    },
    {
      what: `open files, over ${count} cycles: growth`,
      seen: String(opened),
      target: '0',
      met: opened <= 0,
      command,
    },
  ];
}
