import '../support/short-life.js';
import { openSync, writeSync } from 'node:fs';
import { watchSteps, type StepName } from '../../services/steps.js';
import { isLostSyncName, loseSyncs } from './lost-syncs.js';
import { decodePoint, pointFinder } from './step-point.js';

/** Quicker than on a device: the services of the campaign start and stop at once. */
const TIMING = { pollMs: 10, killAfterMs: 3000, giveUpMs: 2000, startTimeoutMs: 5000 };

/**
 * The updater as it is (`serve` or `recover`), but with the services of a supervisor, and eyes on its steps: it writes
 * each into a file, stops itself (SIGSTOP) at the one it is told, and can be made to lose syncs.
 */
async function run(): Promise<number> {
  const openSteps = new Map<StepName, number>();
  const trace = openSync(variable('POWERCUT_TRACE'), 'a');
  const holdAt = process.env['POWERCUT_HOLD_AT'];
  const isHere = holdAt === undefined ? () => false : pointFinder(decodePoint(holdAt));
  watchSteps((name, moment) => {
    if (moment === 'before' || moment === 'after') {
      openSteps.set(name, (openSteps.get(name) ?? 0) + (moment === 'before' ? 1 : -1));
    }
    writeSync(trace, `${name}/${moment}\n`);
    if (isHere(`${name}/${moment}`)) process.kill(process.pid, 'SIGSTOP');
  });
  const lost = process.env['POWERCUT_LOSE'] ?? '';
  if (isLostSyncName(lost)) await loseSyncs(lost, (name) => (openSteps.get(name) ?? 0) > 0);
  if (process.argv[2] === 'recover') return (await import('../../scripts/recover.js')).recoverCommand([]);
  return serve();
}

async function serve(): Promise<number> {
  const { serveDevice } = await import('../support/serve-device.js');
  const { openSupervisedServices } = await import('../../scripts/demo/supervised-services.js');
  return serveDevice({
    control: () => openSupervisedServices(variable('POWERCUT_SUPERVISOR')),
    timing: TIMING,
  });
}

function variable(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set`);
  return value;
}

process.exitCode = await run();
