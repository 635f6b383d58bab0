import { setTimeout as wait } from 'node:timers/promises';
import type { MeasuredDevice } from '../support/measured-device.js';

/** What was seen of a download while it went on. */
export interface Watched {
  tookMs: number;
  cpuMs: number;
  /** RssAnon in bytes, once a second. */
  memory: number[];
  /** How long `/progress` took to answer, in ms, sorted. */
  answers: number[];
  /** Whether percent were integers that never went down. */
  isProgressSound: boolean;
  /** Bytes on disk by /progress' words, with the time, in ms from the order. */
  fetched: { atMs: number; megabytes: number }[];
}

/** How long `/progress` takes to answer while nothing goes on: what the machine itself makes of it. In ms, sorted. */
export async function watchIdle(device: MeasuredDevice, forMs = 3000): Promise<number[]> {
  const answers: number[] = [];
  for (const begun = performance.now(); performance.now() - begun < forMs;) {
    const askedAt = performance.now();
    await device.progress();
    answers.push(performance.now() - askedAt);
    await wait(15);
  }
  return answers.sort((a, b) => a - b);
}

/** The 99th of a hundred. */
export function p99(sorted: readonly number[]): number {
  return sorted[Math.floor(0.99 * sorted.length)] ?? 0;
}

/** Polls `/progress` every 15 ms until the package is ready. Fails where the download does. */
export async function watchDownload(device: MeasuredDevice): Promise<Watched> {
  const begun = performance.now();
  const cpuBefore = device.cpuMs();
  const watched: Watched = {
    tookMs: 0,
    cpuMs: 0,
    memory: [],
    answers: [],
    isProgressSound: true,
    fetched: [],
  };
  let percent = 0;
  for (;;) {
    const askedAt = performance.now();
    const now = await device.progress();
    watched.answers.push(performance.now() - askedAt);
    if (now.stage === 'failed') throw new Error(String(now.error));
    if (now.stage === 'toInstall') break;
    if (now.stage === 'downloading') {
      watched.isProgressSound &&= Number.isInteger(now.progress) && now.progress >= percent;
      percent = now.progress;
      const megabytes = Number(/([\d.]+) MB \//.exec(now.message)?.[1] ?? 0);
      watched.fetched.push({ atMs: askedAt - begun, megabytes });
    }
    if (askedAt - begun > 1000 * watched.memory.length) watched.memory.push(device.memory('RssAnon'));
    await wait(15);
  }
  watched.tookMs = performance.now() - begun;
  watched.cpuMs = device.cpuMs() - cpuBefore;
  watched.answers.sort((a, b) => a - b);
  return watched;
}

/** The most that came within any second, in bytes. */
export function busiestSecond({ fetched }: Watched): number {
  let most = 0;
  let from = 0;
  for (const { atMs, megabytes } of fetched) {
    while (atMs - (fetched[from]?.atMs ?? 0) > 1000) from += 1;
    most = Math.max(most, megabytes - (fetched[from]?.megabytes ?? 0));
  }
  return most * 1e6;
}
