import { readFileSync, statSync, watch } from 'node:fs';
import { join } from 'node:path';
import { STAGES, topStateOf } from '../../machines/stage.js';
import { fieldOf } from '../support/json-fields.js';
import type { MeasuredDevice } from '../support/measured-device.js';
import { cycle } from './cycle.js';
import type { Packages } from './packages.js';

/** What an updater holds between two cycles, after its garbage was collected. */
export interface AtIdle {
  /** Bytes. */
  rssAnon: number;
  openFiles: number;
}

/** Collects all garbage of an updater whenever it gets this signal; see collect-on-signal. */
export const COLLECT = 'SIGUSR2';
const SETTLED_MS = 200;

/** The environment of an updater whose garbage can be collected from outside. */
export const COLLECTABLE = {
  NODE_OPTIONS: `--import=${new URL('./collect-on-signal.js', import.meta.url).href}`,
};

/** Cycles one after the other on one updater; tells what it holds after each. */
export async function* smallCycles(
  device: MeasuredDevice,
  packages: Packages,
  { count, bytes }: { count: number; bytes: number },
): AsyncGenerator<AtIdle> {
  for (let version = 1; version <= count; version++) {
    await cycle(device, packages.small(version, bytes));
    process.kill(device.updater.pid, COLLECT);
    await new Promise((resolve) => setTimeout(resolve, SETTLED_MS));
    yield { rssAnon: device.memory('RssAnon'), openFiles: device.openFiles() };
  }
}

/**
 * How long each first report of a stage took from the save of that stage (the rename of state.json, by its ctime) to its
 * arrival, in ms, for all cycles that the work takes the device through.
 */
export async function reportLatencies(device: MeasuredDevice, work: () => Promise<void>): Promise<number[]> {
  const file = join(device.workDir, 'tmp', 'state.json');
  const savedAt = new Map<string, number[]>();
  const look = () => {
    try {
      const { ctimeMs } = statSync(file);
      const state: unknown = JSON.parse(readFileSync(file, 'utf8'));
      const stage = STAGES[topStateOf(fieldOf(state, 'snapshot', 'value'))];
      const before = savedAt.get(stage) ?? [];
      if (before.at(-1) !== ctimeMs) savedAt.set(stage, [...before, ctimeMs]);
    } catch {
      // Between two names there is a moment without a file: the next event sees it.
    }
  };
  const watcher = watch(join(device.workDir, 'tmp'), (_, name) => {
    if (name === 'state.json') look();
  });
  const from = device.api.heard.length;
  try {
    await work();
  } finally {
    watcher.close();
  }
  const firsts = device.api.heard.slice(from).filter(({ stage }, at, all) => stage !== all[at - 1]?.stage);
  return firsts.flatMap((report) => {
    const arrivedAt = performance.timeOrigin + report.atMs;
    const saves = (savedAt.get(report.stage) ?? []).filter((ms) => ms <= arrivedAt);
    const before = firsts[firsts.indexOf(report) - 1];
    const since = before === undefined ? 0 : performance.timeOrigin + before.atMs;
    const saved = saves.find((ms) => ms >= since);
    return saved === undefined ? [] : [arrivedAt - saved];
  });
}
