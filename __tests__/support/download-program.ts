import type { PackageOrder } from '../../machines/package-order.js';
import { openClock } from '../../services/clock.js';
import { transferPackage } from '../../services/download/transfer-package.js';
import { watchSteps } from '../../services/steps.js';

/**
 * Makes one request of a download as a process of its own, so that it can be killed: from outside, or by itself at a
 * moment of a step (`partial.note written 2`). Exit 0: the package is there.
 */
interface Given {
  tmpDir: string;
  order: PackageOrder;
}

function isGiven(value: unknown): value is Given {
  return typeof value === 'object' && value !== null && 'tmpDir' in value && 'order' in value;
}

const [, , json = 'null', killAt = ''] = process.argv;
const given: unknown = JSON.parse(json);
if (!isGiven(given)) throw new Error('usage: download-program \'{"tmpDir":…,"order":…}\' [STEP MOMENT NTH]');
const { tmpDir, order } = given;

const [step, moment, nth] = killAt.split(' ');
let reached = 0;
watchSteps((name, at) => {
  if (name !== step || at !== moment) return;
  if (++reached === Number(nth)) process.kill(process.pid, 'SIGKILL');
});

const ignore = () => undefined;
const log = { debug: ignore, info: ignore, warn: ignore, error: ignore };
const clock = await openClock();
try {
  const { signal } = new AbortController();
  await transferPackage(order, signal, { tmpDir, order: () => order, clock, log, onProgress: ignore });
} catch {
  process.exitCode = 1;
}
