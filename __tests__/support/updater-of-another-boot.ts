import { join } from 'node:path';
import { serve } from '../../scripts/serve.js';
import { openClock } from '../../services/clock.js';
import { readConfiguration } from '../../services/read-configuration.js';
import { openRotatingLog } from '../../services/rotating-log.js';
import { openServiceControl } from '../../services/service-control/open-service-control.js';

/** The updater, but the file that names the boot is the one in BOOT_ID_FILE: a test can so tell it of a reboot. */
const { configuration } = await readConfiguration(process.env);
const { workDir, logLevel, serviceManager, managedRoot, extraRoots } = configuration;
const log = await openRotatingLog({ folder: join(workDir, 'logs'), level: logLevel });
try {
  const control = await openServiceControl(serviceManager, [managedRoot, ...extraRoots]);
  const clock = await openClock(process.env['BOOT_ID_FILE']);
  process.exitCode = await serve(configuration, { log, control, clock });
} finally {
  await log.close();
}
