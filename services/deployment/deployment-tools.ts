import type { Log } from '../log/log.js';
import type { ServiceManager } from '../service-control/open-service-control.js';
import type { ServiceControl } from '../service-control/service-control.js';
import type { StartOptions } from '../service-control/start-units.js';
import type { StopOptions } from '../service-control/stop-units.js';
import type { Store } from './store.js';
import type { Territory } from './target-path.js';

/** Bounds of the waits of a deployment, ms; those that are left out are the usual ones. */
export interface Timing
  extends Pick<StopOptions, 'pollMs' | 'killAfterMs' | 'giveUpMs'>, Pick<StartOptions, 'startTimeoutMs'> {
  settleMs: number;
}

/** What every step of a deployment works with. */
export interface DeploymentTools {
  store: Store;
  territory: Territory;
  control: ServiceControl;
  log: Log;
  timing: Timing;
  /** Percent of the stage that is going on, and a sentence for people. */
  tell: (percent: number, message: string) => void;
  now: () => Date;
  /** Who runs programs for us: under systemd they are transient units. */
  manager: ServiceManager;
  /** Releases kept besides current, previous and factory. */
  keep: number;
  /** Bytes that must stay free. */
  reserveBytes: number;
}
