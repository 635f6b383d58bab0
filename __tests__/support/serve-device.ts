import { join } from 'node:path';
import { serve } from '../../scripts/serve.js';
import { openClock } from '../../services/clock.js';
import type { Configuration } from '../../services/configuration/configuration.js';
import type { Timing } from '../../services/deployment/deployment-tools.js';
import { readConfiguration } from '../../services/configuration/read-configuration.js';
import { openRotatingLog } from '../../services/log/rotating-log.js';
import type { ServiceControl } from '../../services/service-control/service-control.js';

interface DeviceParts {
  control: (configuration: Configuration) => ServiceControl | Promise<ServiceControl>;
  /** The file that names the boot; the kernel's if absent. */
  bootIdFile?: string | undefined;
  timing?: Partial<Timing>;
}

/** The `serve` command as it is, but for the parts that a test brings. Answers with the exit code. */
export async function serveDevice({ control, bootIdFile, timing = {} }: DeviceParts): Promise<number> {
  const { configuration } = await readConfiguration(process.env);
  const { workDir, logLevel } = configuration;
  const log = await openRotatingLog({ folder: join(workDir, 'logs'), level: logLevel });
  try {
    const clock = await openClock(bootIdFile);
    return await serve(configuration, { log, control: await control(configuration), clock, timing });
  } finally {
    await log.close();
  }
}
