import './short-life.js';
import { appendFileSync, existsSync } from 'node:fs';
import { watchSteps } from '../../services/steps.js';

/**
 * The updater as it is, with the services of the supervisor that listens on the socket SUPERVISOR, that can be made to
 * kill itself: `KILL_AT="switch.rename before 2"` is the second time that a `switch.rename` begins; with KILL_BY it sends itself another
 * signal than SIGKILL. STEPS_FILE gets a
 * line for each moment that was reached; with STEPS_TRACED a trace of its system calls shows them, as looks at files that
 * are not there: `/step/switch.rename/before`. Without a SUPERVISOR the services are what the configuration says. The first
 * argument is the command: serve, recover or pack.
 */

/** Quicker than on a device: the services of the tests start and stop within a moment. */
const TIMING = { pollMs: 20, killAfterMs: 1000, giveUpMs: 3000, startTimeoutMs: 5000 };

function watch(): void {
  const { KILL_AT, KILL_BY = 'SIGKILL', STEPS_FILE, STEPS_TRACED } = process.env;
  const [killName, killMoment, killCount] = (KILL_AT ?? '').split(' ');
  let count = 0;
  watchSteps((name, moment) => {
    if (STEPS_FILE !== undefined) appendFileSync(STEPS_FILE, `${name} ${moment}\n`);
    if (STEPS_TRACED !== undefined) existsSync(`/step/${name}/${moment}`);
    if (name !== killName || moment !== killMoment) return;
    count += 1;
    if (count === Number(killCount)) process.kill(process.pid, KILL_BY);
  });
}

async function runService(): Promise<number> {
  const { serveDevice } = await import('./serve-device.js');
  const { openSupervisedServices } = await import('../../scripts/demo/supervised-services.js');
  const { openServiceControl } = await import('../../services/service-control/open-service-control.js');
  const { SUPERVISOR } = process.env;
  return serveDevice({
    control: ({ serviceManager, managedRoot, extraRoots }) =>
      SUPERVISOR === undefined
        ? openServiceControl(serviceManager, [managedRoot, ...extraRoots])
        : openSupervisedServices(SUPERVISOR),
    timing: TIMING,
  });
}

async function recover(): Promise<number> {
  const { recoverCommand } = await import('../../scripts/recover.js');
  return recoverCommand([]);
}

async function pack(): Promise<number> {
  const { packCommand } = await import('../../scripts/pack.js');
  return packCommand(process.argv.slice(3));
}

const commands: Partial<Record<string, () => Promise<number>>> = { serve: runService, recover, pack };
watch();
process.exitCode = await (commands[process.argv[2] ?? 'serve'] ?? runService)();
