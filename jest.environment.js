import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { TestEnvironment } from 'jest-environment-node';

const ordinary = Function.prototype[Symbol.hasInstance];
const BUILT = pathToFileURL(join(import.meta.dirname, 'dist')).href;

const RAW = process.env.NODE_V8_COVERAGE;

/** Tells what has run in this process; null until it is started. */
let profiler = null;
let written = 0;

async function startProfiler() {
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  return session;
}

/**
 * Jest kills a worker that takes half a second to end, and its coverage, which node writes at the very end, would be
 * lost: so it is written after each test file. Counts begin anew with each, and c8 adds them up.
 */
async function writeCoverage() {
  const { result } = await profiler.post('Profiler.takePreciseCoverage');
  const ours = result.filter(({ url }) => url.startsWith(BUILT));
  const name = `coverage-${process.pid}-jest-${written++}.json`;
  writeFileSync(join(RAW, name), JSON.stringify({ result: ours }));
}

/**
 * Jest runs tests in a context with globals of its own, while errors of node:fs and its like are made outside of it:
 * there `error instanceof Error` would be false, other than on a device. Here it is true.
 */
export default class OneErrorEnvironment extends TestEnvironment {
  constructor(...how) {
    super(...how);
    for (const outside of [Error, TypeError, RangeError, SyntaxError]) {
      const inside = this.global[outside.name];
      Object.defineProperty(inside, Symbol.hasInstance, {
        value(thing) {
          return ordinary.call(this, thing) || (this === inside && thing instanceof outside);
        },
      });
    }
  }

  async setup() {
    await super.setup();
    if (RAW !== undefined) profiler ??= await startProfiler();
  }

  async teardown() {
    if (profiler !== null) await writeCoverage();
    await super.teardown();
  }
}
