import { join } from 'node:path';
import { readConfiguration } from '../../services/configuration/read-configuration.js';
import { openRotatingLog } from '../../services/log/rotating-log.js';
import { serve } from '../serve.js';
import { openSupervisedServices } from './supervised-services.js';

/** Quicker than on a device: the services of the demo and of the tests start and stop within a moment. */
const TIMING = { pollMs: 25, killAfterMs: 3000, giveUpMs: 2000, startTimeoutMs: 5000 };

/**
 * The updater as it is, but with the services of the supervisor that listens on the socket DEMO_SUPERVISOR. It is
 * configured as on a device; where it has an IPC channel it stops when that closes, so that it never outlives a demo.
 */
async function run(): Promise<number> {
  const socket = process.env['DEMO_SUPERVISOR'];
  if (socket === undefined) throw new Error('DEMO_SUPERVISOR is not set: expected the path of a socket');
  const { configuration } = await readConfiguration(process.env);
  const { workDir, logLevel } = configuration;
  const log = await openRotatingLog({ folder: join(workDir, 'logs'), level: logLevel });
  try {
    return await serve(configuration, { log, control: openSupervisedServices(socket), timing: TIMING });
  } finally {
    await log.close();
  }
}

process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
const exitCode = await run();
if (process.connected) process.disconnect();
process.exitCode = exitCode;
